//! `--trace`: one line for each instruction with the registers that it changed, and lines for interrupts,
//! exceptions, port accesses and resets between them.
//!
//! ```text
//!      1234 f000:e05b 000fe05b  fa           cli                 | rflags=00000002
//! ```
//! Instruction count, CS:IP, linear address, bytes, disassembly, changes. Numbers are hexadecimal, except the
//! count.
//!
//! With `watch=`, one line for each load from and store to the addresses watched, and instructions only with `range=`
//! as well: all others run at full speed.
//!
//! ```text
//!      1234 at e0a2: load 0000046c -> 0012
//!      1301 at e0a9: store 0000046c <- 0013
//! ```

use crate::exit::Mistake;
use emu_core::backend::CpuId;
use emu_core::probe::{Delivery, Execute, Memory, MemoryAccess, Port, Probe, Verdict, Watched};
use emu_core::x86::{CpuState, GPR_COUNT, Seg};
use iced_x86::{Decoder, DecoderOptions, Formatter, NasmFormatter};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::RangeInclusive;

/// A trace under way.
pub struct Tracer {
    out: BufWriter<File>,
    ranges: Vec<RangeInclusive<u64>>,
    watched: Option<RangeInclusive<u64>>,
    before: Option<CpuState>,
    line: String,
    failed: Option<std::io::Error>,
    inside: bool,
}

const GPRS: [&str; GPR_COUNT] = [
    "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];
const SEGS: [&str; 6] = ["es", "cs", "ss", "ds", "fs", "gs"];

fn parse_range(text: &str) -> Option<RangeInclusive<u64>> {
    let (from, to) = text.split_once('-')?;
    let hex = |s: &str| u64::from_str_radix(s.trim_start_matches("0x"), 16).ok();
    Some(hex(from)?..=hex(to)?)
}

/// What one part of the option says besides the file.
enum Part {
    Range(RangeInclusive<u64>),
    Watch(RangeInclusive<u64>),
}

fn parse_part(text: &str) -> Option<Part> {
    match text.split_once('=')? {
        ("range", range) => parse_range(range).map(Part::Range),
        ("watch", range) => parse_range(range).map(Part::Watch),
        _ => None,
    }
}

impl Tracer {
    /// Opens the trace that `--trace FILE[,range=HEX-HEX][,watch=HEX-HEX]` asks for.
    pub fn open(text: &str) -> Result<Self, Mistake> {
        let mut parts = text.split(',');
        let path = parts.next().unwrap_or_default();
        let (mut ranges, mut watched) = (Vec::new(), None);
        for part in parts {
            match parse_part(part) {
                Some(Part::Range(range)) => ranges.push(range),
                Some(Part::Watch(_)) if watched.is_some() => {
                    return Err(Mistake::usage(format!(
                        "--trace {text}: watch= can stand there only once"
                    )));
                }
                Some(Part::Watch(range)) => watched = Some(range),
                None => {
                    return Err(Mistake::usage(format!(
                        "--trace {text}: {part:?} is neither range=HEX-HEX, as in range=7c00-7dff, nor watch=HEX-HEX"
                    )));
                }
            }
        }
        if path.is_empty() {
            return Err(Mistake::usage("--trace needs a file's name"));
        }
        let out = File::create(path)
            .map_err(|e| Mistake::data(format!("the trace {path} cannot be written: {e}")))?;
        let inside = watched.is_none() || !ranges.is_empty();
        Ok(Self {
            out: BufWriter::new(out),
            ranges,
            watched,
            before: None,
            line: String::new(),
            failed: None,
            inside,
        })
    }

    /// Finishes the file.
    pub fn close(mut self) -> Result<(), Mistake> {
        self.end_line(None);
        let flushed = self.out.flush().err();
        match self.failed.take().or(flushed) {
            Some(e) => Err(Mistake::data(format!("the trace cannot be written: {e}"))),
            None => Ok(()),
        }
    }

    fn write_line(&mut self, text: &str) {
        if self.failed.is_none()
            && let Err(e) = writeln!(self.out, "{text}")
        {
            self.failed = Some(e);
        }
    }

    /// Writes the pending instruction with what has changed since.
    fn end_line(&mut self, now: Option<&CpuState>) {
        if self.line.is_empty() {
            return;
        }
        let mut line = std::mem::take(&mut self.line);
        if let (Some(before), Some(now)) = (&self.before, now) {
            let changes = changes(before, now);
            if !changes.is_empty() {
                let _ = write!(line, " |{changes}");
            }
        }
        self.write_line(&line);
    }

    fn note(&mut self, text: &str) {
        self.end_line(None);
        if self.inside {
            self.write_line(text);
        }
    }
}

/// The registers that differ, as ` name=value`.
fn changes(before: &CpuState, now: &CpuState) -> String {
    let mut s = String::new();
    let mut reg = |name: &str, old: u64, new: u64, digits: usize| {
        if old != new {
            let _ = write!(s, " {name}={new:0digits$x}");
        }
    };
    for (i, name) in GPRS.iter().enumerate() {
        reg(name, before.gpr[i], now.gpr[i], 8);
    }
    for seg in Seg::ALL {
        let (old, new) = (before.segment(seg), now.segment(seg));
        let name = SEGS[seg as usize];
        reg(name, old.selector.0.into(), new.selector.0.into(), 4);
    }
    reg("rflags", before.rflags.bits(), now.rflags.bits(), 8);
    reg("cr0", before.cr0.bits(), now.cr0.bits(), 8);
    reg("cr2", before.cr2, now.cr2, 8);
    reg("cr3", before.cr3, now.cr3, 8);
    reg("cr4", before.cr4.bits(), now.cr4.bits(), 8);
    reg("gdtr", before.gdtr.base, now.gdtr.base, 8);
    reg("idtr", before.idtr.base, now.idtr.base, 8);
    reg(
        "ldtr",
        before.ldtr.selector.0.into(),
        now.ldtr.selector.0.into(),
        4,
    );
    reg(
        "tr",
        before.tr.selector.0.into(),
        now.tr.selector.0.into(),
        4,
    );
    reg("fcw", before.x87.control.into(), now.x87.control.into(), 4);
    reg("fsw", before.x87.status.into(), now.x87.status.into(), 4);
    for i in 0..8 {
        let (old, new) = (&before.x87, &now.x87);
        let changed = old.significand[i] != new.significand[i]
            || old.sign_exponent[i] != new.sign_exponent[i];
        if changed {
            let (e, m) = (new.sign_exponent[i], new.significand[i]);
            let _ = write!(s, " r{i}={e:04x}:{m:016x}");
        }
    }
    s
}

impl Probe for Tracer {
    fn wants_execute(&self) -> bool {
        self.watched.is_none() || !self.ranges.is_empty()
    }

    fn watched(&self) -> Watched {
        match &self.watched {
            Some(range) => Watched::Addresses(*range.start(), *range.end()),
            None => Watched::Nothing,
        }
    }

    fn memory(&mut self, m: &Memory) {
        self.end_line(None);
        let (name, arrow) = match m.access {
            MemoryAccess::Read => ("load", "->"),
            MemoryAccess::Write => ("store", "<-"),
        };
        let digits = m.width.bytes() * 2;
        let text = format!(
            "{:>12} at {:04x}: {name} {:08x} {arrow} {:0digits$x}",
            m.insns, m.rip, m.linear, m.value
        );
        self.write_line(&text);
    }

    fn execute(&mut self, at: &Execute<'_>, state: &dyn Fn() -> CpuState) -> Verdict {
        self.inside = self.ranges.is_empty() || self.ranges.iter().any(|r| r.contains(&at.linear));
        if !self.inside {
            if !self.line.is_empty() {
                let now = state();
                self.end_line(Some(&now));
            }
            return Verdict::Continue;
        }
        let now = state();
        self.end_line(Some(&now));
        let mut bytes = String::new();
        for b in at.bytes {
            let _ = write!(bytes, "{b:02x}");
        }
        let mut decoder = Decoder::with_ip(
            at.code_bits.into(),
            at.bytes,
            now.rip,
            DecoderOptions::LOADALL286 | DecoderOptions::NO_INVALID_CHECK,
        );
        let mut text = String::new();
        // A formatter cannot move between threads, so it does not stand in the struct.
        let mut formatter = NasmFormatter::new();
        formatter.options_mut().set_branch_leading_zeros(false);
        formatter.format(&decoder.decode(), &mut text);
        let cs = now.segment(Seg::Cs).selector.0;
        let _ = write!(
            self.line,
            "{:>12} {cs:04x}:{:04x} {:08x}  {bytes:<16} {text:<36}",
            at.insns, now.rip, at.linear
        );
        self.before = Some(now);
        Verdict::Continue
    }

    fn port(&mut self, p: &Port) {
        if !self.inside || self.line.is_empty() {
            return;
        }
        let digits = p.width.bytes() * 2;
        let arrow = match p.access {
            MemoryAccess::Read => "->",
            MemoryAccess::Write => "<-",
        };
        let _ = write!(
            self.line,
            " [port {:x} {arrow} {:0digits$x}]",
            p.port, p.value
        );
    }

    fn interrupt(&mut self, d: &Delivery) {
        self.note(&format!("             interrupt {:02x}", d.vector));
    }

    fn exception(&mut self, d: &Delivery) {
        let mut text = format!("             vector {:02x}", d.vector);
        if let Some(error) = d.error {
            let _ = write!(text, " error {error:x}");
        }
        if let Some(address) = d.fault_address {
            let _ = write!(text, " address {address:x}");
        }
        self.note(&text);
    }

    fn reset(&mut self, _cpu: CpuId) {
        self.note("             reset");
    }
}
