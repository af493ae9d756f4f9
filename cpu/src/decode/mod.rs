//! From bytes to blocks: fetch, decode with iced-x86, lower.

pub mod amd;
mod extent;
#[cfg(test)]
mod forms;
pub mod legacy;
pub mod lower;
pub mod prefetch;

use crate::block::{Block, Immediate, NewBlock, Start};
use crate::fault::Fault;
use crate::interpreter::{Interpreter, Leaving, mode};
use crate::mem::paging::{Purpose, Translation};
use crate::models::{CpuModel, Processor};
use crate::op::Stop;
use emu_core::Width;
use emu_core::ram::granule_mask;
use emu_core::x86::{Cr0, Seg};
use extent::{Extent, LONGEST, Maps, extent};
use iced_x86::{CpuidFeature, Decoder, DecoderError, DecoderOptions, Instruction};
use legacy::Form;
use lower::{Lowering, Rows};
use std::ptr::NonNull;

/// The most bytes of an instruction that are fetched: of one that is too long the first behind the longest.
const FETCHED_BYTES_MAX: usize = extent::LONGEST + 1;
/// Instructions in a block: long enough for straight code, short enough that an event seldom splits it.
const BLOCK_INSNS_MAX: u32 = 64;
/// Bytes in a block.
pub const BLOCK_BYTES_MAX: u64 = BLOCK_INSNS_MAX as u64 * 8;
const PAGE: u64 = 0x1000;

/// What became of an attempt to decode.
enum Decoded {
    /// A block of this many bytes.
    Block(Lowered),
    /// The first instruction goes on behind the bytes given.
    Truncated,
}

/// A lowered run of instructions, without a place yet.
struct Lowered {
    rows: Rows,
    links: [u16; 2],
    pins: [u16; 2],
    starts: Vec<Start>,
    len: u32,
}

impl Lowered {
    fn block(&self, host: u64, mode: u32, second_page: Option<u64>) -> NewBlock<'_> {
        NewBlock {
            host,
            mode,
            len: self.len,
            second_page,
            slots: &self.rows.slots,
            // A link that nobody knows of leads nowhere for ever.
            links: if mode & mode::APART == 0 {
                self.links
            } else {
                [0; 2]
            },
            pins: self.pins,
            starts: &self.starts,
        }
    }
}

/// What the next block is decoded out of and into: the rows of the one before, and what was found out for it.
#[derive(Default)]
pub struct Buffers {
    bytes: Vec<u8>,
    starts: Vec<Start>,
    rows: Rows,
    /// How the model decodes: see [`decoder_options`] and [`maps`].
    dialect: Option<(u32, Maps)>,
}

impl Interpreter {
    /// The block at the instruction pointer, decoded if it is not in the cache, or a fault of the fetch. `key` is the mode,
    /// with [`mode::SINGLE`] for a block of one instruction.
    pub(crate) fn decode_at(
        &mut self,
        linear: u64,
        limit: u64,
        key: u32,
    ) -> Result<NonNull<Block>, Stop> {
        let rip = self.biased(self.rip);
        if rip > limit {
            return Err(self.fault(Fault::GP0));
        }
        if let Some(block) = self.decode_prefetched(linear)? {
            return Ok(block);
        }
        let (host, global) = self.fetch_page(linear)?;
        let room = (limit - rip).saturating_add(1).min(PAGE - (linear & 0xFFF));
        if host == 0 {
            return self.decode_uncached(limit);
        }
        let host = host + (linear & 0xFFF);
        if self.tuning.keeps_blocks
            && let Some(b) = self.blocks.revive(linear, key, host, global)
            && rip + u64::from(b.len) - 1 <= limit
        {
            return Ok(NonNull::from(b));
        }
        if self.tuning.keeps_blocks
            && let Some(number) = self.blocks.find(host, key)
            && let Some(b) = self.blocks.block(number)
            && rip + u64::from(b.len) - 1 <= limit
        {
            let (second_page, block, head) = (b.second_page, NonNull::from(b), b.slots.head());
            let (same, global) = match second_page {
                None => (true, global),
                Some(second) => {
                    let next = (linear & !0xFFF).wrapping_add(PAGE) & self.linear_mask;
                    let (found, next_is_global) = self.fetch_page(next)?;
                    (found == second, global && next_is_global)
                }
            };
            if same {
                self.blocks.remember(linear, key, head, global);
                return Ok(block);
            }
        }
        let mut bytes = std::mem::take(&mut self.buffers.bytes);
        bytes.resize(BLOCK_BYTES_MAX as usize, 0);
        let window = &mut bytes[..room.min(BLOCK_BYTES_MAX) as usize];
        self.host_copy(host, window);
        let single = !self.tuning.keeps_blocks || key & mode::SINGLE != 0;
        let most = if single { 1 } else { BLOCK_INSNS_MAX };
        let decoded = self.lower_bytes(window, most, self.place_of(linear, key));
        self.buffers.bytes = bytes;
        match decoded {
            Decoded::Block(l) => {
                let whole_page = room == PAGE - (linear & 0xFFF) || u64::from(l.len) < room;
                let key = whole_page.then_some(key);
                Ok(self.keep(l, (linear, global), host, None, key))
            }
            Decoded::Truncated => self.decode_crossing((linear, global), limit, host, key),
        }
    }

    /// Where in its page a block starts, if others may follow it without the run loop.
    fn place_of(&self, linear: u64, key: u32) -> Option<u32> {
        let single = !self.tuning.keeps_blocks || key & mode::SINGLE != 0;
        // Where there is a prefetch queue the run loop looks after it between blocks.
        let follows = !single && self.model.prefetch_bytes == 0;
        follows.then_some((linear & 0xFFF) as u32)
    }

    /// An instruction that goes on in the next page.
    fn decode_crossing(
        &mut self,
        (linear, global): (u64, bool),
        limit: u64,
        host: u64,
        key: u32,
    ) -> Result<NonNull<Block>, Stop> {
        let in_page = (PAGE - (linear & 0xFFF)).min(FETCHED_BYTES_MAX as u64);
        let rip = self.biased(self.rip);
        if limit - rip < in_page || self.model.ip_wraps || in_page == FETCHED_BYTES_MAX as u64 {
            return self.decode_uncached(limit);
        }
        let next = (linear & !0xFFF).wrapping_add(PAGE) & self.linear_mask;
        let (second, next_is_global) = self.fetch_page(next)?;
        let global = global && next_is_global;
        if second == 0 {
            return self.decode_uncached(limit);
        }
        let most = (FETCHED_BYTES_MAX as u64).min(limit - rip + 1) as usize;
        let mut bytes = [0; FETCHED_BYTES_MAX];
        for (i, b) in bytes[..most].iter_mut().enumerate() {
            let i = i as u64;
            let at = if i < in_page {
                host + i
            } else {
                second + (i - in_page)
            };
            *b = self.host_read(at, Width::Byte) as u8;
        }
        let place = self.place_of(linear, key);
        match self.lower_bytes(&bytes[..most], 1, place) {
            Decoded::Block(l) => Ok(self.keep(l, (linear, global), host, Some(second), Some(key))),
            Decoded::Truncated => Err(self.fault(Fault::GP0)),
        }
    }

    /// One instruction, fetched byte by byte: from a device or from nowhere, at the end of the segment, or round its
    /// end where the model wraps.
    fn decode_uncached(&mut self, limit: u64) -> Result<NonNull<Block>, Stop> {
        let base = self.segments[Seg::Cs as usize].base;
        let mut bytes = Vec::with_capacity(FETCHED_BYTES_MAX);
        while bytes.len() < self.insn_bytes_max() {
            let mut rip = self.rip.wrapping_add(bytes.len() as u64);
            if self.biased(rip) > limit {
                if !self.model.ip_wraps {
                    return Err(self.fault(Fault::GP0));
                }
                rip &= 0xFFFF;
            }
            let at = base.wrapping_add(rip) & self.linear_mask;
            let (page, _) = self.fetch_page(at)?;
            let byte = if page != 0 {
                self.host_read(page + (at & 0xFFF), Width::Byte)
            } else {
                let t = self.translate_fetch(at)?;
                self.physical_read(t.gpa, Width::Byte)
            };
            bytes.push(byte as u8);
            if let Some(block) = self.single_block(&bytes, 0) {
                return Ok(block);
            }
        }
        Err(self.fault(Fault::GP0))
    }

    /// The first instruction of `bytes` as a block that is executed once; `None` if it goes on behind them. `host` says
    /// where it lies, if it is in memory.
    fn single_block(&mut self, bytes: &[u8], host: u64) -> Option<NonNull<Block>> {
        let Decoded::Block(l) = self.lower_bytes(bytes, 1, None) else {
            return None;
        };
        self.leave_block = Leaving::No;
        if host != 0 {
            let offset = (host & 0xFFF) as usize;
            let end = (offset + l.len as usize).min(PAGE as usize);
            self.stamp(host & !0xFFF, offset, end);
        }
        let block = self.blocks.set_aside(&l.block(host, self.mode, None));
        self.reuse(l);
        Some(block)
    }

    /// The host address of a page of code, 0 if it is not memory, and whether it is global; sets accessed bits.
    fn fetch_page(&mut self, linear: u64) -> Result<(u64, bool), Stop> {
        let t = self.translate_fetch(linear)?;
        Ok((self.physical_page(t.gpa).read, t.global))
    }

    /// The physical address of code, by the TLB or by a walk.
    fn translate_fetch(&mut self, linear: u64) -> Result<Translation, Stop> {
        let user = self.cpl == 3;
        let purpose = Purpose::fetch(user);
        if !self.cr0.contains(Cr0::PG) {
            return self.translate(linear, purpose);
        }
        if let Some(t) = self.tlb.fetch_hit(user, linear) {
            return Ok(t);
        }
        let t = self.translate(linear, purpose)?;
        if self.tlb.fill_fetch(user, linear, t.gpa, t.global) {
            self.blocks.forget_translations(false);
        }
        Ok(t)
    }

    /// The most bytes that an instruction can have.
    fn insn_bytes_max(&self) -> usize {
        match self.model.processor {
            Some(Processor::I8086 | Processor::I80186) => legacy::LONGEST_8086,
            _ => FETCHED_BYTES_MAX,
        }
    }

    /// Decodes and lowers up to `most` instructions. `place` is where in its page the block starts, if others may follow it
    /// without the run loop.
    fn lower_bytes(&mut self, bytes: &[u8], most: u32, place: Option<u32>) -> Decoded {
        let bits = mode::code_bits(self.mode);
        let model = self.model;
        let dialect = || (decoder_options(model), maps(model));
        let (options, maps) = *self.buffers.dialect.get_or_insert_with(dialect);
        let mut stream = match self.model.processor {
            Some(processor) => Stream::Legacy {
                processor,
                fpu: self.model.has_fpu(),
                bytes,
                at: 0,
            },
            None => Stream::Iced {
                decoder: Decoder::with_ip(bits, bytes, 0, options),
                options,
                maps,
                bytes,
            },
        };
        let rows = std::mem::take(&mut self.buffers.rows);
        let mut starts = std::mem::take(&mut self.buffers.starts);
        starts.clear();
        let mut lowering = Lowering::new(self.model, self.mode, place, rows);
        lowering.plain = !self.tuning.shortens;
        let mut len = 0u32;
        while (starts.len() as u32) < most {
            let start = len;
            if start as usize >= bytes.len() {
                break;
            }
            let Some((insn, form, end)) = stream.next() else {
                if starts.is_empty() {
                    self.buffers.rows = lowering.into_rows();
                    self.buffers.starts = starts;
                    return Decoded::Truncated;
                }
                lowering.crosses_next = true;
                break;
            };
            let slot = lowering.slots.len() as u16;
            len = end;
            lowering.lower(
                &insn,
                form,
                &bytes[start as usize..end as usize],
                start,
                end,
            );
            starts.push(Start {
                slot,
                offset: start as u16,
                immediate: lowering.immediate,
            });
            if lowering.ends_block {
                break;
            }
        }
        starts.push(Start {
            slot: lowering.slots.len() as u16,
            offset: len as u16,
            immediate: Immediate::default(),
        });
        lowering.end_of_block();
        lowering.pair(&starts);
        self.stats.blocks_decoded += 1;
        Decoded::Block(Lowered {
            links: lowering.links,
            pins: lowering.pins,
            rows: lowering.into_rows(),
            starts,
            len,
        })
    }

    /// Keeps the rows of a lowered block for the next one.
    fn reuse(&mut self, l: Lowered) {
        self.buffers.rows = l.rows;
        self.buffers.starts = l.starts;
    }

    /// Puts a decoded block, in a global page or in another, into the cache under `key` (or aside, if it may not stay) and stamps the code it covers.
    fn keep(
        &mut self,
        l: Lowered,
        (linear, global): (u64, bool),
        host: u64,
        second_page: Option<u64>,
        key: Option<u32>,
    ) -> NonNull<Block> {
        let len = l.len;
        // Stores into the prefetch queue, and by a repeated string instruction into itself, are seen by the stamps, so
        // they are needed without the cache too.
        let first_end = ((host & 0xFFF) + u64::from(len)).min(PAGE) as usize;
        self.stamp(host & !0xFFF, (host & 0xFFF) as usize, first_end);
        if let Some(second) = second_page {
            let rest = (host & 0xFFF) as usize + len as usize - PAGE as usize;
            self.stamp(second, 0, rest);
        }
        let Some(key) = key.filter(|_| self.tuning.keeps_blocks) else {
            let block = l.block(host, self.mode, second_page);
            let block = self.blocks.set_aside(&block);
            self.reuse(l);
            return block;
        };
        let (block, head) = self.blocks.insert(&l.block(host, key, second_page));
        self.reuse(l);
        // If it goes on in the next page, both translations stand in the TLB until the generation is over.
        self.blocks.remember(linear, key, head, global);
        block
    }

    /// The granules of a page to which stores must be noticed.
    pub(crate) fn stamped_granules(&self, host_page: u64) -> u64 {
        self.blocks.granules_of(host_page) | self.monitored_granule(host_page)
    }

    /// Marks bytes of a page as decoded code, or as monitored.
    pub(crate) fn stamp(&mut self, host_page: u64, from: usize, to: usize) {
        let Some((ram, page)) = self.physical.locate(host_page) else {
            return;
        };
        let fresh = ram.code_in(page) == 0;
        ram.mark_code(page, granule_mask(from, to));
        if fresh {
            self.tlb.mark_code(host_page);
        }
    }
}

/// Instructions out of bytes, one after the other.
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, on the stack of the decoder"
)]
enum Stream<'a> {
    /// As processors from the 80386 on decode them.
    Iced {
        decoder: Decoder<'a>,
        options: u32,
        maps: Maps,
        bytes: &'a [u8],
    },
    /// As those before do.
    Legacy {
        processor: Processor,
        fpu: bool,
        bytes: &'a [u8],
        at: usize,
    },
}

impl Stream<'_> {
    /// The next instruction, and where it ends; `None` if it goes on behind the bytes.
    fn next(&mut self) -> Option<(Instruction, Form, u32)> {
        match self {
            Self::Iced {
                decoder,
                options,
                maps,
                bytes,
            } => {
                let start = decoder.position();
                let insn = decoder.decode();
                let error = decoder.last_error();
                if error == DecoderError::None {
                    return Some((insn, Form::Plain, decoder.position() as u32));
                }
                if maps.amd
                    && let Some(insn) =
                        amd::locked(decoder.bitness(), &bytes[start..], start as u64, *options)
                    && decoder.set_position(start + insn.len()).is_ok()
                {
                    decoder.set_ip(decoder.position() as u64);
                    return Some((insn, Form::Plain, decoder.position() as u32));
                }
                let (form, len) = match extent(decoder.bitness(), &bytes[start..], *maps) {
                    Extent::More => return None,
                    Extent::Unknown if error == DecoderError::NoMoreBytes => return None,
                    Extent::Unknown => (Form::Undefined, decoder.position() - start),
                    Extent::Whole(len) => (Form::Undefined, len),
                    Extent::TooLong if maps.amd => (Form::TooLong, LONGEST),
                    Extent::TooLong => (Form::TooLong, FETCHED_BYTES_MAX),
                };
                Some((insn, form, (start + len) as u32))
            }
            Self::Legacy {
                processor,
                fpu,
                bytes,
                at,
            } => {
                let d = legacy::decode(*processor, *fpu, &bytes[*at..], *at as u32)?;
                *at += d.len;
                Some((d.insn, d.form, *at as u32))
            }
        }
    }
}

/// What of the lengths of instructions depends on the model.
fn maps(model: &CpuModel) -> Maps {
    Maps {
        vex: model.has(CpuidFeature::AVX),
        d3now: model.has(CpuidFeature::D3NOW),
        amd: model.is_amd(),
    }
}

/// How iced-x86 decodes: 0F0D and 0F18 to 0F1F are hint NOPs, as the P6 family defines them; where TZCNT, LZCNT and
/// WBNOINVD are not there, their prefix F3h is ignored before BSF, BSR and WBINVD (SDM vol. 2, "TZCNT", "LZCNT"), and
/// before the Pentium Pro PAUSE is a NOP with a prefix. AMD's processors differ: see [`amd`].
pub(crate) fn decoder_options(model: &CpuModel) -> u32 {
    let lacking = [
        (CpuidFeature::BMI1, DecoderOptions::NO_MPFX_0FBC),
        (CpuidFeature::LZCNT, DecoderOptions::NO_MPFX_0FBD),
        (CpuidFeature::WBNOINVD, DecoderOptions::NO_WBNOINVD),
        (CpuidFeature::PAUSE, DecoderOptions::NO_PAUSE),
    ];
    let maker = if model.is_amd() {
        DecoderOptions::AMD
    } else {
        DecoderOptions::NONE
    };
    lacking
        .iter()
        .filter(|(feature, _)| !model.has(*feature))
        .fold(DecoderOptions::FORCE_RESERVED_NOP | maker, |all, (_, o)| {
            all | o
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced_x86::Mnemonic;

    #[test]
    fn the_prefix_of_tzcnt_and_lzcnt_is_ignored_by_processors_that_lack_them() {
        for (model, expected) in [
            ("p6", [Mnemonic::Bsf, Mnemonic::Bsr]),
            ("max", [Mnemonic::Tzcnt, Mnemonic::Lzcnt]),
        ] {
            let model = CpuModel::by_name(model).expect("a model");
            for (opcode, mnemonic) in [0xBC, 0xBD].into_iter().zip(expected) {
                let bytes = [0xF3, 0x0F, opcode, 0xDB];
                let mut decoder = Decoder::with_ip(32, &bytes, 0, decoder_options(model));
                let insn = decoder.decode();
                assert_eq!((insn.mnemonic(), insn.len()), (mnemonic, 4));
                assert!(model.offers(&insn));
            }
        }
    }

    #[test]
    fn an_undefined_instruction_of_15_bytes_is_told_from_one_of_16() {
        let model = CpuModel::by_name("max").expect("a model");
        let form = |bits, bytes: &[u8]| {
            let options = decoder_options(model);
            let mut stream = Stream::Iced {
                decoder: Decoder::with_ip(bits, bytes, 0, options),
                options,
                maps: maps(model),
                bytes,
            };
            stream.next().expect("all of its bytes").1
        };
        // LOCK CMP of 15 bytes, as a processor refused it with #UD; then with a prefix more.
        let mut lock = vec![0xF0, 0xF2, 0x67, 0x4B, 0x81, 0xBC, 0x3D];
        lock.extend([0x2A, 0x0D, 0, 0, 0x60, 0x06, 0x91, 0xB8, 0x90]);
        assert_eq!(form(64, &lock), Form::Undefined);
        lock.insert(0, 0x2E);
        assert_eq!(form(64, &lock), Form::TooLong);
        // C6 /1 is undefined, and has an immediate byte: behind 12 and 13 prefixes, and prefixes without an end.
        let repeated = |n| [vec![0x66; n], vec![0xC6, 0xC8, 0x90, 0x90]].concat();
        assert_eq!(form(64, &repeated(12)), Form::Undefined);
        assert_eq!(form(64, &repeated(13)), Form::TooLong);
        assert_eq!(form(32, &[0xF3; 20]), Form::TooLong);
        assert_eq!(
            form(16, &[&[0x2E; 14][..], &[0x90, 0x90]].concat()),
            Form::Plain
        );
        assert_eq!(
            form(16, &[&[0x2E; 15][..], &[0x90, 0x90]].concat()),
            Form::TooLong
        );
    }
}
