//! One test: prepare, run, compare, by the rules of the suites' own descriptions.
//!
//! * 8086: exactly one instruction runs, all iterations of a repeated one included; a divide error ends at the
//!   handler's first instruction.
//! * 80286: the processor runs to and through the HLT that stands where the instruction, or the handler of its
//!   exception, continues; so the final IP is one past it. The upper four flags cannot be set in real mode and are
//!   masked out of the initial state.
//! * The final state lists changes: every register and every byte of memory that it does not name must be unchanged.
//! * Flags that the suite's masks call undefined are not compared, neither in the register nor in the word that an
//!   exception pushes.

use super::bus::FlatBus;
use super::moo::{Reg, Test};
use anyhow::Result;
use emu_core::backend::{CpuBackend, Exit, Invalidate};
use emu_core::probe::{Execute, Probe, Verdict};
use emu_core::x86::{CpuState, Gpr, Rflags, Seg, Selector};
use std::collections::BTreeMap;

/// A processor that a suite was captured from.
#[derive(Copy, Clone, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Model {
    /// Intel 8086.
    #[value(name = "8086")]
    I8086,
    /// Intel 80286.
    #[value(name = "80286")]
    I80286,
}

/// Flags that bits of the 8086's register hold; the others have no storage and read as ones or zeros.
const I8086_FLAGS: u16 = 0x0FD5;
/// Flags that real mode on the 80286 can set (iAPX 286 Programmer's Reference Manual, section 2.5: IOPL and NT are for
/// protected mode).
const I80286_REAL_MODE_FLAGS: u16 = 0x0FFF;
/// More than any test takes: the suites keep CX below 128 where an instruction repeats.
const INSNS_LIMIT: u64 = 1000;

impl Model {
    /// Bytes of memory that its address lines reach.
    pub fn memory_bytes(self) -> usize {
        match self {
            Self::I8086 => 1 << 20,
            Self::I80286 => 16 << 20,
        }
    }

    /// Its name on the command line and among the CPU models.
    pub fn name(self) -> &'static str {
        match self {
            Self::I8086 => "8086",
            Self::I80286 => "80286",
        }
    }

    /// Its name in a suite's metadata.
    pub fn suite_name(self) -> &'static str {
        match self {
            Self::I8086 => "8086",
            Self::I80286 => "286",
        }
    }

    /// A test's initial flags as the processor took them.
    fn initial_flags(self, flags: u16) -> u16 {
        match self {
            Self::I8086 => flags,
            Self::I80286 => flags & I80286_REAL_MODE_FLAGS,
        }
    }

    /// The flags that the register stores.
    fn stored_flags(self) -> u16 {
        match self {
            Self::I8086 => I8086_FLAGS,
            Self::I80286 => u16::MAX,
        }
    }
}

/// A register or byte that is not as it was captured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What: a register's name or an address.
    pub what: String,
    /// Before the test.
    pub initial: u16,
    /// What the silicon left there.
    pub expected: u16,
    /// What the emulated processor left there.
    pub got: u16,
    /// The bits that count.
    pub mask: u16,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As captured.
    Same,
    /// Not as captured.
    Different(Vec<Difference>),
    /// The processor did not come to the end of the test.
    Lost(String),
}

/// Stops before the second instruction.
#[derive(Default)]
struct OneInstruction {
    begun: bool,
}

impl Probe for OneInstruction {
    fn execute(&mut self, _: &Execute<'_>, _: &dyn Fn() -> CpuState) -> Verdict {
        if std::mem::replace(&mut self.begun, true) {
            Verdict::Stop
        } else {
            Verdict::Continue
        }
    }
}

/// Sees every instruction and does nothing.
struct Watching;
impl Probe for Watching {}

/// A processor on a board of plain memory.
pub struct Bench {
    model: Model,
    watched: bool,
    masks: bool,
    cpu: Box<dyn CpuBackend>,
    bus: FlatBus,
    reset: CpuState,
}

impl Bench {
    /// With a processor that stands as after reset. `watched` runs under a probe; without `masks` undefined flags are
    /// compared as well.
    pub fn new(model: Model, watched: bool, masks: bool, cpu: Box<dyn CpuBackend>) -> Result<Self> {
        Ok(Self {
            model,
            watched,
            masks,
            bus: FlatBus::new(model.memory_bytes())?,
            reset: cpu.state(),
            cpu,
        })
    }

    /// Runs a test. `flags_mask`: the flags that are defined after it.
    pub fn run(&mut self, test: &Test, flags_mask: u16) -> Outcome {
        for &(address, value) in &test.initial.ram {
            self.bus.set(address, value);
        }
        self.cpu.invalidate(Invalidate::WriteTracking);
        let before = self.initial_state(test);
        self.cpu.set_state(&before);
        self.bus.allow(INSNS_LIMIT);
        let end = self.execute(test);
        let after = self.cpu.state();
        let flags_mask = if self.masks { flags_mask } else { u16::MAX };
        let mut differences = self.compare_registers(test, &after, flags_mask);
        self.compare_memory(test, flags_mask, &mut differences);
        match end {
            Err(lost) => Outcome::Lost(lost),
            Ok(()) if differences.is_empty() => Outcome::Same,
            Ok(()) => Outcome::Different(differences),
        }
    }

    fn execute(&mut self, test: &Test) -> Result<(), String> {
        let (exit, end) = match (self.model, self.watched) {
            (Model::I8086, true) => {
                let mut one = OneInstruction::default();
                let exit = self.cpu.run(&mut self.bus, Some(&mut one));
                (exit, Exit::Probe)
            }
            (Model::I8086, false) => (self.run_one_instruction(test), Exit::SliceEnd),
            (Model::I80286, true) => {
                let exit = self.cpu.run(&mut self.bus, Some(&mut Watching));
                (exit, Exit::Halted)
            }
            (Model::I80286, false) => (self.cpu.run(&mut self.bus, None), Exit::Halted),
        };
        if exit == end {
            return Ok(());
        }
        let spent = if self.bus.is_spent() {
            ", out of instructions"
        } else {
            ""
        };
        Err(format!("the run ended with {exit:?}{spent}"))
    }

    /// Runs a slice of one instruction, and more slices while a repeated string instruction stands where it was (a
    /// repetition counts as an instruction).
    fn run_one_instruction(&mut self, test: &Test) -> Exit {
        let start = self.cpu.state();
        let repeats = is_repeated_string(&test.bytes);
        for _ in 0..INSNS_LIMIT {
            self.bus.allow(1);
            let exit = self.cpu.run(&mut self.bus, None);
            let now = self.cpu.state();
            let same_place = now.rip == start.rip && now.segment(Seg::Cs) == start.segment(Seg::Cs);
            if exit != Exit::SliceEnd || !(repeats && same_place) {
                return exit;
            }
        }
        Exit::SliceEnd
    }

    fn initial_state(&self, test: &Test) -> CpuState {
        let reg = |r| test.initial.reg(r).unwrap_or_default();
        let mut state = self.reset;
        for (gpr, r) in [
            (Gpr::Rax, Reg::Ax),
            (Gpr::Rcx, Reg::Cx),
            (Gpr::Rdx, Reg::Dx),
            (Gpr::Rbx, Reg::Bx),
            (Gpr::Rsp, Reg::Sp),
            (Gpr::Rbp, Reg::Bp),
            (Gpr::Rsi, Reg::Si),
            (Gpr::Rdi, Reg::Di),
        ] {
            state.gpr[gpr as usize] = reg(r).into();
        }
        for (seg, r) in [
            (Seg::Es, Reg::Es),
            (Seg::Cs, Reg::Cs),
            (Seg::Ss, Reg::Ss),
            (Seg::Ds, Reg::Ds),
        ] {
            let s = &mut state.segments[seg as usize];
            s.selector = Selector(reg(r));
            s.base = u64::from(reg(r)) << 4;
        }
        state.rip = reg(Reg::Ip).into();
        let flags = self.model.initial_flags(reg(Reg::Flags));
        state.rflags = Rflags::from_bits_retain(flags.into());
        state.retired = self.cpu.state().retired;
        state
    }

    fn expected(&self, test: &Test, reg: Reg) -> (u16, u16) {
        let mut initial = test.initial.reg(reg).unwrap_or_default();
        if reg == Reg::Flags {
            initial = self.model.initial_flags(initial);
        }
        (initial, test.changes.reg(reg).unwrap_or(initial))
    }

    fn compare_registers(&self, test: &Test, after: &CpuState, flags_mask: u16) -> Vec<Difference> {
        let mut differences = Vec::new();
        for reg in Reg::ALL {
            let got = register(after, reg) as u16;
            let (initial, expected) = self.expected(test, reg);
            let mask = if reg == Reg::Flags {
                flags_mask & self.model.stored_flags()
            } else {
                u16::MAX
            };
            if (got ^ expected) & mask != 0 {
                differences.push(Difference {
                    what: format!("{reg:?}").to_lowercase(),
                    initial,
                    expected,
                    got,
                    mask,
                });
            }
        }
        differences
    }

    fn compare_memory(&mut self, test: &Test, flags_mask: u16, differences: &mut Vec<Difference>) {
        let mut masks = BTreeMap::new();
        if let Some([low, high]) = self.pushed_flags(test) {
            masks.insert(low, flags_mask as u8);
            masks.insert(high, (flags_mask >> 8) as u8);
        }
        let mut expected: BTreeMap<u32, (u8, u8)> = BTreeMap::new();
        for &(address, value) in &test.initial.ram {
            expected.insert(address, (value, value));
        }
        for &(address, value) in &test.changes.ram {
            let background = self.bus.background(address);
            expected.entry(address).or_insert((background, value)).1 = value;
        }
        let mut check = |address: u32, initial: u8, expected: u8, got: u8| {
            let mask = masks.get(&address).copied().unwrap_or(u8::MAX);
            if (got ^ expected) & mask != 0 {
                differences.push(Difference {
                    what: format!("[{address:06X}]"),
                    initial: initial.into(),
                    expected: expected.into(),
                    got: got.into(),
                    mask: mask.into(),
                });
            }
        };
        for (&address, &(initial, value)) in &expected {
            check(address, initial, value, self.bus.get(address));
        }
        let mut touched = Vec::new();
        self.bus.restore(&mut touched);
        for (address, got) in touched {
            if !expected.contains_key(&address) {
                let background = self.bus.background(address);
                check(address, background, background, got);
            }
        }
    }

    /// Where an exception pushed flags: the third word from the top of the stack that it left. The 80286 suite says
    /// which tests took one (of an odd address it records the even one below it, as the bus showed it). On the 8086
    /// it was a divide error if the processor ended at the handler that vector 0 names, six bytes deeper in the stack.
    fn pushed_flags(&self, test: &Test) -> Option<[u32; 2]> {
        let (old_sp, sp) = self.expected(test, Reg::Sp);
        if self.model == Model::I8086 {
            let byte = |at: u32| {
                test.initial
                    .ram
                    .iter()
                    .find(|&&(a, _)| a == at)
                    .map(|b| b.1)
            };
            let handler = [
                u16::from_le_bytes([byte(0)?, byte(1)?]),
                u16::from_le_bytes([byte(2)?, byte(3)?]),
            ];
            let end = [
                self.expected(test, Reg::Ip).1,
                self.expected(test, Reg::Cs).1,
            ];
            if handler != end || old_sp.wrapping_sub(sp) != 6 {
                return None;
            }
        } else {
            test.exception?;
        }
        let base = u32::from(self.expected(test, Reg::Ss).1) << 4;
        let last = self.model.memory_bytes() as u32 - 1;
        let at = |n: u16| (base + u32::from(sp.wrapping_add(n))) & last;
        Some([at(4), at(5)])
    }
}

/// Whether the bytes are a string instruction with a repeat prefix (the 8086 takes F1h for LOCK).
fn is_repeated_string(bytes: &[u8]) -> bool {
    let is_prefix = |b: u8| matches!(b, 0x26 | 0x2E | 0x36 | 0x3E | 0xF0..=0xF3);
    let prefixes = bytes.iter().take_while(|b| is_prefix(**b)).count();
    let repeats = bytes[..prefixes].iter().any(|b| matches!(b, 0xF2 | 0xF3));
    repeats && matches!(bytes.get(prefixes), Some(0xA4..=0xA7 | 0xAA..=0xAF))
}

fn register(state: &CpuState, reg: Reg) -> u64 {
    let selector = |s: Seg| u64::from(state.segment(s).selector.0);
    let gpr = |g: Gpr| state.gpr[g as usize];
    match reg {
        Reg::Ax => gpr(Gpr::Rax),
        Reg::Bx => gpr(Gpr::Rbx),
        Reg::Cx => gpr(Gpr::Rcx),
        Reg::Dx => gpr(Gpr::Rdx),
        Reg::Cs => selector(Seg::Cs),
        Reg::Ss => selector(Seg::Ss),
        Reg::Ds => selector(Seg::Ds),
        Reg::Es => selector(Seg::Es),
        Reg::Sp => gpr(Gpr::Rsp),
        Reg::Bp => gpr(Gpr::Rbp),
        Reg::Si => gpr(Gpr::Rsi),
        Reg::Di => gpr(Gpr::Rdi),
        Reg::Ip => state.rip,
        Reg::Flags => state.rflags.bits(),
    }
}
