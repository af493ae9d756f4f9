//! A case (one instruction and the state before it) and its outcome (the state after it), as the host's child process
//! and our core exchange them, and a case as a line of text.

use super::layout::{self, MEMORY_BYTES, PAGE};
use std::fmt::Write;

/// Bytes of the legacy area of an FXSAVE image that hold state; behind them are reserved ones.
pub const FX_BYTES: usize = 416;
/// Where MXCSR stands in it.
pub const MXCSR: usize = 24;
/// How many pieces of memory a case may prepare.
pub const PATCHES: usize = 4;
/// Bytes of one.
pub const PATCH_BYTES: usize = 128;
/// How many changed words of memory an outcome lists.
pub const CHANGES: usize = 192;
/// The trap flag.
pub const TF: u64 = 0x100;

/// The size of the code segment.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum CodeSize {
    /// A 16-bit segment.
    Bits16 = 16,
    /// A 32-bit segment.
    Bits32 = 32,
    /// 64-bit mode.
    Bits64 = 64,
}

impl CodeSize {
    /// All.
    pub const ALL: [Self; 3] = [Self::Bits16, Self::Bits32, Self::Bits64];

    /// In bits.
    pub const fn bits(self) -> u32 {
        self as u32
    }
}

/// Memory that a case prepares.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Patch {
    /// Offset in the window; what lies in a hole is left out.
    pub at: u16,
    /// How many of the bytes count.
    pub len: u16,
    /// The bytes.
    pub bytes: [u8; PATCH_BYTES],
}

/// One instruction and the state before it. Without TF an INT3 behind the instruction ends the case.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Case {
    /// The code segment's size.
    pub size: CodeSize,
    /// 64-bit code: whether it runs in the upper view of the window.
    pub high: bool,
    /// Bytes of the instruction.
    pub len: u8,
    /// How many patches count.
    pub patch_count: u8,
    /// Where it starts in the window.
    pub at: u16,
    /// Selectors: ES, CS, SS, DS, FS, GS.
    pub selectors: [u16; 6],
    /// The instruction.
    pub code: [u8; 16],
    /// General registers.
    pub gpr: [u64; 16],
    /// Flags.
    pub flags: u64,
    /// Bases of FS and GS in 64-bit mode.
    pub bases: [u64; 2],
    /// x87, MMX, SSE as FXSAVE stores them with a REX prefix.
    pub fx: [u8; FX_BYTES],
    /// The upper halves of YMM0 to YMM15.
    pub ymm_high: [[u64; 2]; 16],
    /// Prepared memory.
    pub patches: [Patch; PATCHES],
}

/// The state of the FPU after FNINIT and MXCSR after reset.
fn initial_fx() -> [u8; FX_BYTES] {
    let mut fx = [0; FX_BYTES];
    fx[..2].copy_from_slice(&0x037F_u16.to_le_bytes());
    fx[MXCSR..MXCSR + 4].copy_from_slice(&0x1F80_u32.to_le_bytes());
    fx
}

impl Case {
    /// The plainest case of a size: NOP.
    pub fn new(size: CodeSize) -> Self {
        let (cs, data, stack) = match size {
            CodeSize::Bits16 => (layout::CODE16, layout::DATA16, layout::STACK.into()),
            CodeSize::Bits32 => (
                layout::CS32,
                layout::FLAT,
                layout::LOW + u64::from(layout::STACK),
            ),
            CodeSize::Bits64 => (
                layout::CS64,
                layout::FLAT,
                layout::LOW + u64::from(layout::STACK),
            ),
        };
        let mut gpr = [0; 16];
        gpr[4] = stack + 0x800;
        let mut code = [0; 16];
        code[0] = 0x90;
        Self {
            size,
            high: false,
            len: 1,
            patch_count: 0,
            at: layout::CODE + 0x800,
            selectors: [data, cs, data, data, data, data],
            code,
            gpr,
            flags: 0x202 | TF,
            bases: [0; 2],
            fx: initial_fx(),
            ymm_high: [[0; 2]; 16],
            patches: [Patch {
                at: 0,
                len: 0,
                bytes: [0; PATCH_BYTES],
            }; PATCHES],
        }
    }

    /// The instruction's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.code[..usize::from(self.len).min(15)]
    }

    /// Where the window is seen.
    pub fn window(&self) -> u64 {
        if self.size == CodeSize::Bits64 && self.high {
            layout::HIGH
        } else {
            layout::LOW
        }
    }

    /// The base of a segment (ES, CS, SS, DS, FS, GS).
    pub fn segment_base(&self, segment: usize) -> u64 {
        if self.size == CodeSize::Bits64 {
            return match segment {
                4 => self.bases[0],
                5 => self.bases[1],
                _ => 0,
            };
        }
        layout::user_descriptor(self.selectors[segment]).map_or(0, |d| layout::base_of(d).into())
    }

    /// The instruction pointer.
    pub fn rip(&self) -> u64 {
        (self.window() + u64::from(self.at)).wrapping_sub(self.segment_base(1))
    }

    /// The patches that count.
    pub fn patches(&self) -> &[Patch] {
        &self.patches[..usize::from(self.patch_count).min(PATCHES)]
    }

    /// Adds prepared memory, if there is room.
    pub fn patch(&mut self, at: u16, bytes: &[u8]) {
        let n = usize::from(self.patch_count);
        if n < PATCHES {
            let len = bytes.len().min(PATCH_BYTES);
            self.patches[n].at = at;
            self.patches[n].len = len as u16;
            self.patches[n].bytes[..len].copy_from_slice(&bytes[..len]);
            self.patch_count += 1;
        }
    }

    /// Every prepared byte, the instruction's too, by its place in the frames.
    pub fn prepared(&self) -> impl Iterator<Item = (usize, u8)> + '_ {
        let patched = self.patches().iter().flat_map(|p| {
            let bytes = &p.bytes[..usize::from(p.len).min(PATCH_BYTES)];
            bytes
                .iter()
                .enumerate()
                .map(move |(i, &b)| (p.at.wrapping_add(i as u16), b))
        });
        let code = self.bytes().iter().enumerate();
        patched
            // Code stays what it is.
            .filter(|(at, _)| !(layout::CODE..layout::CODE + 2 * PAGE as u16).contains(at))
            .chain(code.map(|(i, &b)| (self.at.wrapping_add(i as u16), b)))
            .filter_map(|(at, b)| Some((layout::frame_offset(at)?, b)))
    }
}

/// No exception ended the case: the run was lost.
pub const LOST: u8 = 0xFF;

/// The state after the instruction.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Outcome {
    /// The exception that ended the case: #DB behind the instruction, or what it raised itself.
    pub vector: u8,
    /// How many changes count.
    pub change_count: u16,
    /// More changed than there is room for.
    pub overflowed: bool,
    /// Its error code.
    pub error: u32,
    /// CR2, for #PF.
    pub cr2: u64,
    /// Selectors: ES, CS, SS, DS, FS, GS.
    pub selectors: [u16; 6],
    /// General registers.
    pub gpr: [u64; 16],
    /// Instruction pointer.
    pub rip: u64,
    /// Flags.
    pub flags: u64,
    /// Bases of FS and GS in 64-bit mode.
    pub bases: [u64; 2],
    /// x87, MMX, SSE.
    pub fx: [u8; FX_BYTES],
    /// The upper halves of YMM0 to YMM15.
    pub ymm_high: [[u64; 2]; 16],
    /// Changed words of memory: their number in the frames.
    pub changed: [u16; CHANGES],
    /// What they hold now.
    pub value: [u64; CHANGES],
}

impl Outcome {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self {
            vector: LOST,
            change_count: 0,
            overflowed: false,
            error: 0,
            cr2: 0,
            selectors: [0; 6],
            gpr: [0; 16],
            rip: 0,
            flags: 0,
            bases: [0; 2],
            fx: [0; FX_BYTES],
            ymm_high: [[0; 2]; 16],
            changed: [0; CHANGES],
            value: [0; CHANGES],
        }
    }

    /// Notes what differs in one page (`page` counts frames) between before and after.
    pub fn note_changes(&mut self, page: usize, before: &[u8], after: &[u8]) {
        if before == after {
            return;
        }
        let words = before.chunks_exact(8).zip(after.chunks_exact(8));
        for (i, (old, new)) in words.enumerate() {
            if old == new {
                continue;
            }
            let n = usize::from(self.change_count);
            if n == CHANGES {
                self.overflowed = true;
                return;
            }
            self.changed[n] = (page * PAGE / 8 + i) as u16;
            let mut word = [0; 8];
            word.copy_from_slice(new);
            self.value[n] = u64::from_le_bytes(word);
            self.change_count += 1;
        }
    }

    /// The changed words: number and content.
    pub fn changes(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        let n = usize::from(self.change_count).min(CHANGES);
        self.changed[..n]
            .iter()
            .copied()
            .zip(self.value[..n].iter().copied())
    }
}

impl Default for Outcome {
    fn default() -> Self {
        Self::new()
    }
}

const GPR_NAMES: [&str; 16] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15",
];
/// Segment registers by their encoding.
pub const SEGMENT_NAMES: [&str; 6] = ["es", "cs", "ss", "ds", "fs", "gs"];

/// A general register's name.
pub fn gpr_name(n: usize) -> &'static str {
    GPR_NAMES[n]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return Err(format!("{text}: not whole bytes"));
    }
    (0..text.len() / 2)
        .map(|i| {
            u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|e| format!("{text}: {e}"))
        })
        .collect()
}

impl Case {
    /// The case as a line: size and bytes, then what differs from the plainest case.
    pub fn line(&self) -> String {
        let plain = Self::new(self.size);
        let mut line = format!("{} {}", self.size.bits(), hex(self.bytes()));
        let mut field = |name: &str, value: u64| {
            let _ = write!(line, " {name}={value:x}");
        };
        if self.at != plain.at {
            field("at", self.at.into());
        }
        if self.high {
            field("high", 1);
        }
        if self.flags != plain.flags {
            field("flags", self.flags);
        }
        for (i, &g) in self.gpr.iter().enumerate() {
            if g != plain.gpr[i] {
                field(GPR_NAMES[i], g);
            }
        }
        for (i, &s) in self.selectors.iter().enumerate() {
            if s != plain.selectors[i] {
                field(SEGMENT_NAMES[i], s.into());
            }
        }
        for (i, name) in ["fsbase", "gsbase"].into_iter().enumerate() {
            if self.bases[i] != 0 {
                field(name, self.bases[i]);
            }
        }
        for at in (0..FX_BYTES).step_by(8) {
            let (mine, its) = (&self.fx[at..at + 8], &plain.fx[at..at + 8]);
            if mine != its {
                let _ = write!(line, " fx{at}={}", hex(mine));
            }
        }
        for (i, y) in self.ymm_high.iter().enumerate() {
            for (half, &v) in y.iter().enumerate() {
                if v != 0 {
                    let _ = write!(line, " ymm{}={v:x}", 2 * i + half);
                }
            }
        }
        for p in self.patches() {
            let _ = write!(
                line,
                " mem{:x}={}",
                p.at,
                hex(&p.bytes[..usize::from(p.len)])
            );
        }
        line
    }

    /// The case of a line.
    pub fn from_line(line: &str) -> Result<Self, String> {
        let mut words = line.split_whitespace();
        let size = match words.next() {
            Some("16") => CodeSize::Bits16,
            Some("32") => CodeSize::Bits32,
            Some("64") => CodeSize::Bits64,
            other => return Err(format!("expected 16, 32 or 64, not {other:?}")),
        };
        let mut case = Self::new(size);
        let code = unhex(words.next().ok_or("no instruction")?)?;
        if code.is_empty() || code.len() > 15 {
            return Err("an instruction has 1 to 15 bytes".into());
        }
        case.len = code.len() as u8;
        case.code = [0; 16];
        case.code[..code.len()].copy_from_slice(&code);
        for word in words {
            let (name, value) = word
                .split_once('=')
                .ok_or_else(|| format!("{word}: expected NAME=VALUE"))?;
            case.set_field(name, value)
                .map_err(|e| format!("{word}: {e}"))?;
        }
        Ok(case)
    }

    fn set_field(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = || u64::from_str_radix(value, 16).map_err(|e| e.to_string());
        let decimal = |text: &str| text.parse::<usize>().map_err(|e| e.to_string());
        if let Some(i) = GPR_NAMES.iter().position(|&n| n == name) {
            self.gpr[i] = number()?;
        } else if let Some(i) = SEGMENT_NAMES.iter().position(|&n| n == name) {
            self.selectors[i] = number()? as u16;
        } else if let Some(at) = name.strip_prefix("fx") {
            let (at, bytes) = (decimal(at)?, unhex(value)?);
            if at > FX_BYTES || bytes.len() > FX_BYTES - at {
                return Err("beyond the image".into());
            }
            self.fx[at..at + bytes.len()].copy_from_slice(&bytes);
        } else if let Some(i) = name.strip_prefix("ymm") {
            let i = decimal(i)?;
            *self
                .ymm_high
                .get_mut(i / 2)
                .ok_or("no such register")?
                .get_mut(i % 2)
                .ok_or("no such half")? = number()?;
        } else if let Some(at) = name.strip_prefix("mem") {
            let at = u16::from_str_radix(at, 16).map_err(|e| e.to_string())?;
            self.patch(at, &unhex(value)?);
        } else {
            match name {
                "at" => self.at = number()? as u16,
                "high" => self.high = number()? != 0,
                "flags" => self.flags = number()?,
                "fsbase" => self.bases[0] = number()?,
                "gsbase" => self.bases[1] = number()?,
                _ => return Err("unknown name".into()),
            }
        }
        Ok(())
    }
}

/// The memory of one of the two processors as a case finds it, and what it looked like before.
pub struct Memory {
    background: Vec<u8>,
    /// With the present case's preparation.
    pub before: Vec<u8>,
}

impl Memory {
    /// The background.
    pub fn new() -> Self {
        let background = layout::background();
        Self {
            before: background.clone(),
            background,
        }
    }

    /// Lays a case's memory out; `write` gets what must be written.
    pub fn prepare(&mut self, case: &Case, mut write: impl FnMut(usize, u8)) {
        for (at, byte) in case.prepared() {
            self.before[at] = byte;
            write(at, byte);
        }
    }

    /// Takes the case's preparation away again; `write` gets the words that were prepared or changed.
    pub fn clean(&mut self, case: &Case, outcome: &Outcome, mut write: impl FnMut(usize, &[u8])) {
        for (at, _) in case.prepared() {
            self.before[at] = self.background[at];
            write(at, &self.background[at..=at]);
        }
        if outcome.overflowed {
            write(0, &self.background[..MEMORY_BYTES]);
        }
        for (word, _) in outcome.changes() {
            let at = usize::from(word) * 8;
            write(at, &self.background[at..at + 8]);
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_comes_back_from_its_line() {
        for size in CodeSize::ALL {
            let mut case = Case::new(size);
            case.code[..3].copy_from_slice(&[0x66, 0x01, 0xC8]);
            case.len = 3;
            case.at = 0x1FFE;
            case.gpr[3] = 0x1234;
            case.selectors[0] = 7;
            case.fx[8] = 3;
            case.fx[200] = 9;
            case.ymm_high[15][1] = 5;
            case.patch(0x4FFE, &[1, 2, 3, 4]);
            let line = case.line();
            assert_eq!(Case::from_line(&line), Ok(case), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_no_case_is_refused() {
        for bad in [
            "",
            "32",
            "8 90",
            "32 9",
            "32 90 foo=1",
            "32 90 rax",
            "32 90 fx410=0011223344556677889900",
            "64 90 ymm99=1",
        ] {
            assert!(Case::from_line(bad).is_err(), "{bad}");
        }
    }
}
