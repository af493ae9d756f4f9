//! The prefetch queue of the 8086 to 80486, as far as programs can see it: an instruction that has been fetched
//! before a store changed its bytes is executed as it was, until a transfer of control empties the queue. Programs tell
//! processors apart by the distance at which their stores still take effect.
//!
//! The queue is taken to be full after each instruction. While its bytes are those in memory nothing is kept; a store
//! into them puts the old ones into [`emu_core::x86::Prefetch`], from where the next instructions are decoded.
//!
//! **Known inaccuracies**: how full the queue is depends on bus timing, which is not modelled, and the 80286 holds up to
//! three decoded instructions besides, as the 80386 does; stores by devices, and into a part of the queue that lies in the
//! next page of memory, take effect at once; old bytes behind the limit of the code segment are executed; the 80486 would
//! find a store to a line of its cache that it has not fetched yet.

use super::{decoder_options, legacy};
use crate::fault::Fault;
use crate::interpreter::{Interpreter, Leaving, mode};
use crate::mem::paging::Purpose;
use crate::models::Processor;
use crate::op::Stop;
use emu_core::Width;
use emu_core::x86::Prefetch;
use iced_x86::{Decoder, DecoderError, Instruction};
use std::ptr::NonNull;

const PAGE: u64 = 0x1000;

/// How an instruction that was decoded from old bytes changes the queue.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Effect {
    /// It is taken off the front, if execution goes on behind it.
    Consumed,
    /// A string instruction that may be executed again.
    Repeats,
    /// A transfer of control empties it.
    Empties,
}

/// What happens to the queue while an instruction executes.
#[derive(Debug, Default)]
pub struct Queue {
    /// Host addresses and old values of the bytes near the instruction that it has overwritten.
    overwritten: Vec<(u64, u8)>,
    /// The instruction that was decoded from old bytes: its place, its length, its effect; or, of length 0, the place that
    /// the old bytes begin at.
    executing: Option<(u64, u8, Effect)>,
}

impl Interpreter {
    /// Notes the bytes that the running instruction is about to overwrite, if they may be in the queue.
    pub(crate) fn note_overwrite(&mut self, at: u64, bytes: usize) {
        let window = u64::from(self.model.prefetch_bytes);
        if window == 0 {
            return;
        }
        let Some(b) = self.current_block() else {
            return;
        };
        let end = b.host + u64::from(b.len) + window;
        if b.host == 0 || at & !(PAGE - 1) != b.host & !(PAGE - 1) {
            return;
        }
        if at >= end || at + bytes as u64 <= b.host {
            return;
        }
        for at in at..at + bytes as u64 {
            let old = self.host_read(at, Width::Byte) as u8;
            self.queue.overwritten.push((at, old));
        }
        self.leave_block = Leaving::Block;
    }

    /// After instruction `n` of the running block: keeps what it overwrote in the queue.
    pub(crate) fn keep_prefetched(&mut self, n: usize, stop: Stop) {
        if self.queue.overwritten.is_empty() {
            return;
        }
        let overwritten = std::mem::take(&mut self.queue.overwritten);
        let Some(b) = self.current_block() else {
            return;
        };
        let host = b.host;
        let end = host + b.offset_of(n + 1) + u64::from(self.model.prefetch_bytes);
        let first = match stop {
            Stop::Leave => host + b.offset_of(n + 1),
            Stop::Repeat | Stop::Wait => host + b.offset_of(n),
            Stop::Branch | Stop::Fault => return,
        };
        let end = end.min((host & !(PAGE - 1)) + PAGE);
        let mut kept = self.prefetched();
        let already = u64::from(kept.len);
        let mut changed = already != 0;
        for (at, i) in (first..end).zip(0..kept.bytes.len()).skip(already as usize) {
            let old = overwritten.iter().find(|o| o.0 == at).map(|o| o.1);
            changed |= old.is_some();
            kept.bytes[i] = old.unwrap_or_else(|| self.host_read(at, Width::Byte) as u8);
            kept.len = i as u8 + 1;
        }
        if changed {
            self.set_prefetched(kept);
        }
    }

    /// The bytes from the instruction pointer on that differ from memory, or none.
    pub(crate) fn prefetched(&self) -> Prefetch {
        let Some((rip, len, effect)) = self.queue.executing else {
            return self.prefetch;
        };
        if effect == Effect::Repeats && self.rip == rip {
            return self.prefetch;
        }
        let next = self.wrap_rip(rip + u64::from(len));
        if effect == Effect::Empties || self.rip != next || len >= self.prefetch.len {
            return Prefetch::default();
        }
        let mut rest = Prefetch {
            len: self.prefetch.len - len,
            ..Prefetch::default()
        };
        let bytes = &self.prefetch.bytes[usize::from(len)..usize::from(self.prefetch.len)];
        rest.bytes[..bytes.len()].copy_from_slice(bytes);
        rest
    }

    /// Replaces the queue's old bytes, which begin at the instruction pointer: once it is another, they are gone.
    pub(crate) fn set_prefetched(&mut self, prefetch: Prefetch) {
        self.prefetch = prefetch;
        self.prefetch.len = prefetch.len.min(prefetch.bytes.len() as u8);
        self.queue.executing = Some((self.rip, 0, Effect::Consumed));
        self.queue.overwritten.clear();
        self.update_mode();
    }

    /// The next instruction as a block of its own, out of old bytes; `None` if there are none (any more).
    pub(super) fn decode_prefetched(
        &mut self,
        linear: u64,
    ) -> Result<Option<NonNull<crate::block::Block>>, Stop> {
        if self.prefetch.len == 0 {
            return Ok(None);
        }
        let rest = self.prefetched();
        self.set_prefetched(rest);
        if rest.len == 0 {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(rest.bytes.len());
        let base = linear.wrapping_sub(self.rip);
        while bytes.len() < self.insn_bytes_max() {
            let i = bytes.len();
            bytes.push(match rest.bytes[..usize::from(rest.len)].get(i) {
                Some(&old) => old,
                None => {
                    let rip = self.wrap_rip(self.rip + i as u64);
                    let at = base.wrapping_add(rip) & self.linear_mask;
                    let gpa = self.translate(at, Purpose::fetch(self.cpl == 3))?.gpa;
                    self.physical_read(gpa, Width::Byte) as u8
                }
            });
            let Some(len) = self.first_len(&bytes) else {
                continue;
            };
            let (page, _) = self.fetch_page(linear)?;
            let host = if page == 0 {
                0
            } else {
                page + (linear & (PAGE - 1))
            };
            if let Some(block) = self.single_block(&bytes, host) {
                let effect = effect(self.model.processor, &bytes[..len]);
                self.queue.executing = Some((self.rip, len as u8, effect));
                return Ok(Some(block));
            }
        }
        Err(self.fault(Fault::GP0))
    }

    /// The length of the first instruction of `bytes`; `None` if it goes on behind them.
    fn first_len(&self, bytes: &[u8]) -> Option<usize> {
        if let Some(processor) = self.model.processor {
            let insn = legacy::decode(processor, self.model.has_fpu(), bytes, 0)?;
            return Some(insn.len.min(bytes.len()));
        }
        let options = decoder_options(self.model);
        let mut decoder = Decoder::with_ip(mode::code_bits(self.mode), bytes, 0, options);
        let _: Instruction = decoder.decode();
        (decoder.last_error() != DecoderError::NoMoreBytes).then(|| decoder.position())
    }
}

/// What an instruction does to the queue.
fn effect(processor: Option<Processor>, bytes: &[u8]) -> Effect {
    let is_prefix = |b: u8| {
        let since_80386 = processor.is_none() && matches!(b, 0x64..=0x67);
        since_80386 || matches!(b, 0x26 | 0x2E | 0x36 | 0x3E | 0xF0..=0xF3)
    };
    let prefixes = bytes.iter().take_while(|b| is_prefix(**b)).count();
    let Some(&opcode) = bytes.get(prefixes) else {
        return Effect::Consumed;
    };
    let reg = bytes.get(prefixes + 1).map_or(0, |m| m >> 3 & 7);
    match opcode {
        0xC0 | 0xC1 | 0xC8 | 0xC9 if processor == Some(Processor::I8086) => Effect::Empties,
        0x9A | 0xC2 | 0xC3 | 0xCA..=0xCF | 0xE8..=0xEB => Effect::Empties,
        0xFF if (2..=5).contains(&reg) => Effect::Empties,
        0x6C..=0x6F | 0xA4..=0xA7 | 0xAA..=0xAF => Effect::Repeats,
        _ => Effect::Consumed,
    }
}
