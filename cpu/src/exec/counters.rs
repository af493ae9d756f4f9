//! Performance counters: their registers, RDPMC, and counting.
//!
//! SDM vol. 3, "Architectural Performance Monitoring" (versions 1 to 3), "Performance Monitoring (P6 Family Processor)"; Intel,
//! "Pentium Processor Family Developer's Manual" (241428), chapter 33; AMD, "AMD64 Architecture Programmer's Manual", volume 2,
//! 24593, section 13.2, and "AMD Athlon Processor x86 Code Optimization Guide", 22007, appendix D.
//!
//! What can be counted is instructions, and cycles and reference cycles while the CPU is not halted, of which each
//! instruction takes one: all three count the same. Nothing is counted one by one: a counter is what it was when it was last
//! brought up to date, and the instructions since, and is brought up to date when the privilege level changes (the
//! instruction that changes it counts for the new one), when its registers are touched, and at boundaries. One that will
//! interrupt ends the run of instructions at its overflow, as an event of the board does.
//!
//! **Not implemented**: all other events count nothing (in leaf 0Ah those of caches and branches are marked so); counters
//! with edge detection; precise events and the debug store; version 4, which Skylake has; the Pentium's pins PM0 and PM1;
//! the Pentium 4's counters; AMD's counters beyond the four of the K7.
//! **Known inaccuracies**: each repetition of a string instruction, and each exception, counts as an instruction.

use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::models::counters::{Counters, Maker};
use crate::models::{CpuModel, Traits};
use crate::op::{Instruction, OpRef, Stop};
use emu_core::backend::Special;
use emu_core::x86::{Cr4, Gpr, Performance};

/// PerfEvtSel: counts at level 0.
const OS: u64 = 1 << 17;
/// PerfEvtSel: counts at the other levels.
const USER: u64 = 1 << 16;
/// PerfEvtSel: counts edges.
const EDGE: u64 = 1 << 18;
/// PerfEvtSel: an overflow interrupts.
const INTERRUPT: u64 = 1 << 20;
/// PerfEvtSel: for all threads of a core (version 3).
const ANY_THREAD: u64 = 1 << 21;
/// PerfEvtSel: counts.
const ENABLE: u64 = 1 << 22;
/// PerfEvtSel: compares the other way round.
const INVERT: u64 = 1 << 23;

/// IA32_FIXED_CTR_CTRL, four bits for each counter: level 0, other levels, all threads, interrupt.
const FIXED_BITS: u64 = 0xF;
const FIXED_ANY_THREAD: u64 = 4;
const FIXED_INTERRUPT: u64 = 8;

/// Where fixed counters begin in [`Performance::values`], and in the global registers.
const FIXED: usize = 8;
const GLOBAL_FIXED: u32 = 32;
/// IA32_PERF_GLOBAL_OVF_CTRL: bits that no counter has (version 3: uncore; the debug store's buffer; a change).
const OVERFLOW_UNCORE: u64 = 1 << 61;
const OVERFLOW_OTHERS: u64 = 3 << 62;
/// IA32_PERF_CAPABILITIES: general counters can be written as a whole.
const CAPABILITY_FULL_WIDTH: u64 = 1 << 13;
/// AMD's PerfEvtSel: bits that are there (events of 12 bits; what counts for guests and hosts of SVM is not).
const AMD_SELECT: u64 = 0xF_FFDF_FFFF;

/// Privilege levels, a bit for each.
const LEVEL_0: u8 = 0b0001;
const LEVELS_1_TO_3: u8 = 0b1110;
const LEVELS_0_TO_2: u8 = 0b0111;
const LEVEL_3: u8 = 0b1000;

/// RDPMC.
pub struct Rdpmc;

/// A register of the counters.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Register {
    /// A general counter. Intel's from the P6 on take 32 bits and extend their sign.
    General(usize),
    /// A general counter as a whole.
    Whole(usize),
    /// Its event; the Pentium's CESR.
    Select(usize),
    /// A fixed counter.
    Fixed(usize),
    /// IA32_PERF_CAPABILITIES.
    Capabilities,
    /// IA32_FIXED_CTR_CTRL.
    FixedControl,
    /// IA32_PERF_GLOBAL_STATUS.
    GlobalStatus,
    /// IA32_PERF_GLOBAL_CTRL.
    GlobalControl,
    /// IA32_PERF_GLOBAL_OVF_CTRL.
    OverflowControl,
}

/// The register of a model behind a number.
pub fn register(model: &CpuModel, msr: u32) -> Option<Register> {
    use Register as R;
    let c = model.counters;
    let among = |first: u32, n: u32| {
        let place = msr.wrapping_sub(first);
        (place < n).then_some(place as usize)
    };
    match c.maker {
        Maker::Nobody => None,
        Maker::Pentium => match msr {
            0x11 => Some(R::Select(0)),
            _ => among(0x12, c.general).map(R::General),
        },
        Maker::Amd => {
            among(0xC001_0000, c.general)
                .map(R::Select)
                .or(among(0xC001_0004, c.general).map(R::General))
        }
        Maker::P6 | Maker::Architectural => {
            let capabilities = model.traits.contains(Traits::PERF_CAPABILITIES);
            let whole = if capabilities && c.full_width {
                c.general
            } else {
                0
            };
            match msr {
                0x345 if capabilities => Some(R::Capabilities),
                0x38D if c.fixed > 0 => Some(R::FixedControl),
                0x38E if c.version > 1 => Some(R::GlobalStatus),
                0x38F if c.version > 1 => Some(R::GlobalControl),
                0x390 if c.version > 1 => Some(R::OverflowControl),
                _ => among(0xC1, c.general)
                    .map(R::General)
                    .or(among(0x186, c.general).map(R::Select))
                    .or(among(0x309, c.fixed).map(R::Fixed))
                    .or(among(0x4C1, whole).map(R::Whole)),
            }
        }
    }
}

impl Counters {
    /// The bits of a counter.
    const fn mask(&self) -> u64 {
        (1 << self.bits) - 1
    }

    /// The counters' bits in the global registers.
    const fn global(&self) -> u64 {
        ((1 << self.general) - 1) | ((1 << self.fixed) - 1) << GLOBAL_FIXED
    }

    /// IA32_PERF_GLOBAL_CTRL after reset: the general ones (SDM vol. 3, table 10-1).
    pub const fn reset_global_control(&self) -> u64 {
        if self.version > 1 {
            (1 << self.general) - 1
        } else {
            0
        }
    }

    /// Whether an event is one of those that come once with each instruction. `event`: with AMD's upper bits.
    fn is_countable(&self, event: u64, unit: u64) -> bool {
        match self.maker {
            // Instructions executed, in both pipes.
            Maker::Pentium => event == 0x16,
            // INST_RETIRED, CPU_CLK_UNHALTED.
            Maker::P6 => matches!((event, unit), (0xC0 | 0x79, 0)),
            // Instructions retired, unhalted core cycles, unhalted reference cycles.
            Maker::Architectural => matches!((event, unit), (0xC0 | 0x3C, 0) | (0x3C, 1)),
            // Retired instructions, cycles not in halt.
            Maker::Amd => matches!((event, unit), (0xC0 | 0x76, 0)),
            Maker::Nobody => false,
        }
    }

    /// The levels at which a PerfEvtSel counts.
    fn selected_levels(&self, select: u64) -> u8 {
        let upper = if self.maker == Maker::Amd {
            select >> 24 & 0xF00
        } else {
            0
        };
        let (compare, inverted) = (select >> 24 & 0xFF, select & INVERT != 0);
        // A cycle has one event: as many as 1, and fewer than what is more.
        let counts = compare == 0 || (compare == 1) != inverted;
        if !self.is_countable(select & 0xFF | upper, select >> 8 & 0xFF)
            || select & EDGE != 0
            || !counts
        {
            return 0;
        }
        levels(select & OS != 0, select & USER != 0)
    }

    /// The levels at which a general counter counts.
    fn general_levels(&self, p: &Performance, n: usize) -> u8 {
        match self.maker {
            Maker::Nobody => 0,
            Maker::Pentium => {
                let half = p.select[0] >> (16 * n);
                if !self.is_countable(half & 0x3F, 0) {
                    return 0;
                }
                (if half >> 6 & 1 != 0 { LEVELS_0_TO_2 } else { 0 })
                    | (if half >> 7 & 1 != 0 { LEVEL_3 } else { 0 })
            }
            Maker::P6 if p.select[0] & ENABLE == 0 => 0,
            Maker::P6 => self.selected_levels(p.select[n]),
            Maker::Architectural if self.version > 1 && p.global_control >> n & 1 == 0 => 0,
            Maker::Architectural | Maker::Amd if p.select[n] & ENABLE == 0 => 0,
            Maker::Architectural | Maker::Amd => self.selected_levels(p.select[n]),
        }
    }

    /// The levels at which a fixed counter counts.
    fn fixed_levels(&self, p: &Performance, n: usize) -> u8 {
        if p.global_control >> (GLOBAL_FIXED as usize + n) & 1 == 0 {
            return 0;
        }
        let control = p.fixed_control >> (4 * n);
        levels(control & 1 != 0, control & 2 != 0)
    }

    /// The counters by their places in [`Performance::values`]: the levels at which each counts, and whether its overflow
    /// interrupts.
    fn all(self, p: Performance) -> impl Iterator<Item = (usize, u8, bool)> {
        let general = (0..self.general as usize).map(move |n| {
            let interrupts = self.maker != Maker::Pentium && p.select[n] & INTERRUPT != 0;
            (n, self.general_levels(&p, n), interrupts)
        });
        let fixed = (0..self.fixed as usize).map(move |n| {
            let interrupts = p.fixed_control >> (4 * n) & FIXED_INTERRUPT != 0;
            (FIXED + n, self.fixed_levels(&p, n), interrupts)
        });
        general.chain(fixed)
    }

    /// Counts instructions at a level; whether an overflow interrupts.
    fn count(&self, p: &mut Performance, level: u8, instructions: u64) -> bool {
        let mut interrupts_now = false;
        for (n, levels, interrupts) in self.all(*p) {
            if levels >> level & 1 == 0 {
                continue;
            }
            let sum = (p.values[n] & self.mask()) + (instructions & self.mask());
            p.values[n] = sum & self.mask();
            if sum > self.mask() {
                let place = if n < FIXED {
                    n as u32
                } else {
                    GLOBAL_FIXED + (n - FIXED) as u32
                };
                if self.version > 1 {
                    p.global_status |= 1 << place;
                }
                interrupts_now |= interrupts;
            }
        }
        interrupts_now
    }
}

const fn levels(os: bool, user: bool) -> u8 {
    (if os { LEVEL_0 } else { 0 }) | (if user { LEVELS_1_TO_3 } else { 0 })
}

impl Interpreter {
    /// The counters as they are now.
    pub(crate) fn performance(&self) -> Performance {
        let mut now = self.msr.performance;
        if self.counting {
            let passed = self.instructions_so_far().wrapping_sub(self.counted_to);
            self.model.counters.count(&mut now, self.cpl, passed);
        }
        now
    }

    /// Brings the counters up to date, for instructions at this level.
    pub(crate) fn count_at(&mut self, level: u8) {
        let now = self.instructions_so_far();
        let passed = now.wrapping_sub(std::mem::replace(&mut self.counted_to, now));
        let counters = self.model.counters;
        if counters.count(&mut self.msr.performance, level, passed) && self.is_attached() {
            let id = self.id;
            self.bus().special_cycle(id, Special::CounterOverflow);
            self.freeze();
        }
    }

    /// Brings the counters up to date.
    pub(crate) fn count(&mut self) {
        if self.counting {
            self.count_at(self.cpl);
        }
    }

    /// The level has changed: what came before counts for the old one.
    #[cold]
    #[inline(never)]
    pub(crate) fn count_for_old_level(&mut self, level: u8) {
        self.count_at(level);
        // The next overflow may come sooner.
        self.poll = true;
    }

    /// After a change of the counters' registers: whether any counts.
    pub(crate) fn counters_changed(&mut self) {
        let all = self.model.counters.all(self.msr.performance);
        self.counting = all.map(|(_, levels, _)| levels).any(|levels| levels != 0);
        self.counted_to = self.instructions_so_far();
    }

    /// How many instructions may go by until a counter interrupts, if nothing changes.
    pub(crate) fn until_counter_interrupts(&self) -> u64 {
        if !self.counting {
            return u64::MAX;
        }
        let (c, p) = (self.model.counters, &self.msr.performance);
        let interrupting = c
            .all(*p)
            .filter(|(_, levels, interrupts)| *interrupts && levels >> self.cpl & 1 != 0);
        let left = interrupting.map(|(n, ..)| c.mask() + 1 - (p.values[n] & c.mask()));
        left.min().unwrap_or(u64::MAX)
    }

    /// RDMSR of a register of the counters.
    pub(crate) fn read_counter_register(&mut self, register: Register) -> u64 {
        use Register as R;
        let p = self.performance();
        match register {
            R::General(n) | R::Whole(n) => p.values[n],
            R::Fixed(n) => p.values[FIXED + n],
            R::Select(n) => p.select[n],
            R::Capabilities if self.model.counters.full_width => {
                self.model.branches.format() | CAPABILITY_FULL_WIDTH
            }
            R::Capabilities => self.model.branches.format(),
            R::FixedControl => p.fixed_control,
            R::GlobalStatus => p.global_status,
            R::GlobalControl => p.global_control,
            R::OverflowControl => 0,
        }
    }

    /// WRMSR of a register of the counters; false: it faults.
    pub(crate) fn write_counter_register(&mut self, register: Register, value: u64) -> bool {
        use Register as R;
        self.count();
        let c = self.model.counters;
        let unthreaded = if c.version < 3 { ANY_THREAD } else { 0 };
        let mut control = FIXED_BITS;
        if c.version < 3 {
            control &= !FIXED_ANY_THREAD;
        }
        let fixed_control = (0..c.fixed).fold(0, |bits, n| bits | control << (4 * n));
        let p = &mut self.msr.performance;
        let intels = matches!(c.maker, Maker::P6 | Maker::Architectural);
        let known = match register {
            R::General(_) => u64::MAX,
            R::Whole(_) | R::Fixed(_) => c.mask(),
            R::Select(_) if intels => u64::from(u32::MAX) & !unthreaded,
            R::Select(_) => u64::MAX,
            R::FixedControl => fixed_control,
            R::GlobalControl => c.global(),
            R::OverflowControl if c.version < 3 => c.global() | OVERFLOW_OTHERS,
            R::OverflowControl => c.global() | OVERFLOW_OTHERS | OVERFLOW_UNCORE,
            R::GlobalStatus | R::Capabilities => return false,
        };
        if value & !known != 0 {
            return false;
        }
        match register {
            R::General(n) if intels => p.values[n] = value as i32 as u64 & c.mask(),
            R::General(n) | R::Whole(n) => p.values[n] = value & c.mask(),
            R::Fixed(n) => p.values[FIXED + n] = value,
            R::Select(n) if c.maker == Maker::Amd => p.select[n] = value & AMD_SELECT,
            // CESR: two halves of ten bits.
            R::Select(n) if c.maker == Maker::Pentium => p.select[n] = value & 0x03FF_03FF,
            R::Select(n) => p.select[n] = value,
            R::FixedControl => p.fixed_control = value,
            R::GlobalControl => p.global_control = value,
            R::OverflowControl => p.global_status &= !value,
            R::GlobalStatus | R::Capabilities => {}
        }
        self.counters_changed();
        true
    }
}

impl Instruction for Rdpmc {
    /// With CR4.PCE at every level (SDM vol. 2, "RDPMC"). Bit 30 of ECX: a fixed counter.
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        if !cpu.cr4.contains(Cr4::PCE) {
            cpu.require_cpl_0()?;
        }
        let (index, c) = (cpu.regs.named::<u32>(Gpr::Rcx), cpu.model.counters);
        let number = index & !(1 << 30);
        let place = if number == index {
            (number < c.general).then_some(number as usize)
        } else {
            (number < c.fixed).then_some(FIXED + number as usize)
        };
        let Some(place) = place else {
            return Err(cpu.fault(Fault::GP0));
        };
        let v = cpu.performance().values[place];
        cpu.regs.set_named(Gpr::Rax, v as u32);
        cpu.regs.set_named(Gpr::Rdx, (v >> 32) as u32);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::model;
    use crate::tests::Board;
    use emu_core::backend::{CpuBackend, CpuId, Exit};
    use emu_core::x86::{CpuState, Cr0, Seg, SegmentAttributes, Selector};

    /// Real mode, all segments at 0, at 1000h.
    fn state(model: &CpuModel) -> CpuState {
        let mut s = model.reset_state();
        for segment in &mut s.segments {
            segment.selector = Selector(0);
            segment.base = 0;
        }
        s.rip = 0x1000;
        s.gpr[Gpr::Rsp as usize] = 0x8000;
        s
    }

    /// After so many instructions: nop; nop; jmp $-4.
    fn after(model: &'static CpuModel, s: &CpuState, insns: u64) -> (Performance, Vec<u64>) {
        let mut board = Board::new(&[0x90, 0x90, 0xEB, 0xFC]);
        board.stop_at = insns;
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.set_state(s);
        assert_eq!(cpu.run(&mut board, None), Exit::SliceEnd);
        (cpu.state().msr.performance, board.overflows)
    }

    #[test]
    fn leaf_10_is_that_of_each_chip_as_far_as_it_is_executed() {
        // Version, general counters and their bits, length of EBX; fixed counters and their bits.
        for (name, general, fixed) in [
            ("core2", 0x0728_0202, 0x503),
            ("nehalem", 0x0730_0403, 0x603),
            ("sandybridge", 0x0730_0403, 0x603),
            ("haswell", 0x0730_0403, 0x603),
            ("max", 0x0730_0403, 0x603),
        ] {
            // Neither caches nor branches: bits 3 to 6.
            assert_eq!(
                model(name).cpuid(0xA, 0),
                [general, 0x78, 0, fixed],
                "{name}"
            );
        }
        assert_eq!(model("epyc").cpuid(0xA, 0), [0; 4]);
    }

    #[test]
    fn each_model_has_the_registers_of_its_chip() {
        // CESR; P6 from here on: C1h, C3h, 188h, full width, fixed, capabilities, global; K7.
        let msrs = [
            0x11,
            0xC1,
            0xC3,
            0x188,
            0x4C1,
            0x309,
            0x345,
            0x38E,
            0xC001_0007,
        ];
        for (name, there) in [
            ("80486", "---------"),
            ("pentium", "x--------"),
            ("pentium-mmx", "x--------"),
            ("p6", "-x-------"),
            ("pentium4", "---------"),
            ("core2", "-x---xxx-"),
            ("nehalem", "-xxx-xxx-"),
            ("haswell", "-xxxxxxx-"),
            ("max", "-xxxxxxx-"),
            ("athlon", "--------x"),
            ("epyc", "--------x"),
        ] {
            let found: String = msrs
                .iter()
                .map(|n| {
                    if register(model(name), *n).is_some() {
                        'x'
                    } else {
                        '-'
                    }
                })
                .collect();
            assert_eq!(found, there, "{name}");
        }
    }

    #[test]
    fn instructions_and_cycles_are_counted_at_the_levels_that_are_chosen_and_nothing_else() {
        // PerfEvtSel of counter 0 (all with EN), and what it counts in 100 instructions at level 0.
        for (select, counted) in [
            (0x42_00C0, 100),
            (0x43_00C0, 100),
            (0x41_00C0, 0),
            (0x42_003C, 100),
            (0x42_013C, 100),
            (0x42_023C, 0),
            (0x42_01C0, 0),
            // Without EN; edges; at least 1, at least 2, fewer than 1, fewer than 16 in a cycle.
            (0x02_00C0, 0),
            (0x46_00C0, 0),
            (0x0142_00C0, 100),
            (0x0242_00C0, 0),
            (0x01C2_00C0, 0),
            (0x10C2_00C0, 100),
            // Mispredicted branches.
            (0x42_00C5, 0),
        ] {
            let mut s = state(model("max"));
            s.msr.performance.select[0] = select;
            let (p, _) = after(model("max"), &s, 100);
            assert_eq!(p.values[0], counted, "{select:X}");
            s.msr.performance.global_control = 0;
            assert_eq!(after(model("max"), &s, 100).0.values, [0; 11]);
        }
        // Fixed counters: level 0, other levels, both.
        let mut s = state(model("max"));
        s.msr.performance.fixed_control = 0x321;
        s.msr.performance.global_control = 7 << 32;
        let (p, _) = after(model("max"), &s, 100);
        assert_eq!(p.values[8..], [100, 0, 100]);
    }

    #[test]
    fn older_chips_count_by_their_own_registers() {
        // CESR: instructions in all levels, at level 3; in counter 1 at levels 0 to 2; cycles of it.
        for (cesr, counted) in [
            (0xD6, [100, 0]),
            (0x96, [0, 0]),
            (0x0056_0000, [0, 100]),
            (0x0156_0000, [0, 100]),
            (0x0016_0017, [0, 0]),
        ] {
            let mut s = state(model("pentium"));
            s.msr.performance.select[0] = cesr;
            let (p, _) = after(model("pentium"), &s, 100);
            assert_eq!(p.values[..2], counted, "{cesr:X}");
        }
        // The P6's counter 0 has the enable bit of both.
        for (selects, counted) in [
            ([0x42_00C0, 0x02_0079], [100, 100]),
            ([0x40_0000, 0x02_0079], [0, 100]),
            ([0x02_00C0, 0x42_0079], [0, 0]),
        ] {
            let mut s = state(model("p6"));
            s.msr.performance.select[..2].copy_from_slice(&selects);
            assert_eq!(after(model("p6"), &s, 100).0.values[..2], counted);
        }
        let mut s = state(model("athlon"));
        s.msr.performance.select[..4].copy_from_slice(&[0x42_00C0, 0x42_0076, 0x42_003C, 0]);
        let (p, _) = after(model("athlon"), &s, 100);
        assert_eq!(p.values[..4], [100, 100, 0, 0]);
    }

    #[test]
    fn an_overflow_is_told_behind_the_very_instruction_that_caused_it() {
        for (name, bits) in [("max", 48), ("core2", 40), ("p6", 40), ("epyc", 48)] {
            for interrupts in [true, false] {
                let mut s = state(model(name));
                let p = &mut s.msr.performance;
                p.select[0] = 0x42_00C0 | if interrupts { 1 << 20 } else { 0 };
                p.values[0] = (1 << bits) - 37;
                let (p, overflows) = after(model(name), &s, 100);
                assert_eq!(p.values[0], 63, "{name}");
                let told = if interrupts { vec![37] } else { vec![] };
                assert_eq!(overflows, told, "{name}");
                let has_status = matches!(name, "max" | "core2");
                assert_eq!(p.global_status, u64::from(has_status), "{name}");
            }
        }
        // Fixed counter 1, with PMI; IA32_PERF_GLOBAL_OVF_CTRL takes its bit back.
        let mut s = state(model("max"));
        s.msr.performance.fixed_control = 0xB0;
        s.msr.performance.global_control = 1 << 33;
        s.msr.performance.values[9] = (1 << 48) - 1;
        let (p, overflows) = after(model("max"), &s, 10);
        assert_eq!((p.global_status, overflows), (1 << 33, vec![1]));
        let mut cpu = Interpreter::new(CpuId(0), model("max"));
        s.msr.performance = p;
        cpu.set_state(&s);
        assert!(!cpu.write_counter_register(Register::GlobalStatus, 0));
        assert!(cpu.write_counter_register(Register::OverflowControl, 1 << 33));
        assert_eq!(cpu.read_counter_register(Register::GlobalStatus), 0);
    }

    #[test]
    fn a_counter_in_the_middle_is_what_it_is_at_the_end() {
        let mut s = state(model("max"));
        s.msr.performance.select[0] = 0x52_00C0;
        s.msr.performance.values[0] = (1 << 48) - 75;
        let whole = after(model("max"), &s, 100).0;
        let mut board = Board::new(&[0x90, 0x90, 0xEB, 0xFC]);
        for at in [1, 30, 50, 74, 75, 76, 100] {
            board.stop_at = at;
            let mut cpu = Interpreter::new(CpuId(0), model("max"));
            cpu.set_block_cache(at & 1 == 0);
            cpu.set_state(&s);
            cpu.run(&mut board, None);
            s = cpu.state();
        }
        assert_eq!(s.msr.performance, whole);
        assert_eq!(board.overflows, [75]);
    }

    #[test]
    fn the_level_before_and_behind_sysenter_is_counted_apart() {
        // In user mode: nop; nop; sysenter. There: nop; jmp $-1.
        let model = model("max");
        let mut board = Board::new(&[0x90, 0x90, 0x0F, 0x34]);
        board.ram[0].write(0x2000, &[0x90, 0xEB, 0xFD]);
        board.stop_at = 10;
        let mut s = state(model);
        s.cr0 |= Cr0::PE;
        for segment in &mut s.segments {
            segment.limit = u32::MAX;
            segment.attributes |= SegmentAttributes::BIG | SegmentAttributes::GRANULAR;
            segment.attributes = segment.attributes.with_dpl(3);
        }
        s.segments[Seg::Cs as usize].selector = Selector(3);
        (s.msr.sysenter_cs, s.msr.sysenter_eip) = (8, 0x2000);
        s.msr.performance.select[..3].copy_from_slice(&[0x41_00C0, 0x42_00C0, 0x43_00C0]);
        // The second interrupts in its fourth instruction: SYSENTER, NOP, JMP, NOP.
        s.msr.performance.select[1] |= 1 << 20;
        s.msr.performance.values[1] = (1 << 48) - 4;
        let mut cpu = Interpreter::new(CpuId(0), model);
        cpu.set_state(&s);
        cpu.run(&mut board, None);
        let p = cpu.state().msr.performance;
        assert_eq!(p.values[..3], [2, 4, 10]);
        assert_eq!(board.overflows, [6]);
    }

    #[test]
    fn registers_hold_what_is_written_as_the_manual_has_it_and_refuse_reserved_bits() {
        use Register as R;
        // Register, a value, what is read; None: it faults.
        let check = |name: &str, cases: &[(R, u64, Option<u64>)]| {
            let mut cpu = Interpreter::new(CpuId(0), model(name));
            for (register, value, read) in cases {
                let taken = cpu.write_counter_register(*register, *value);
                assert_eq!(taken, read.is_some(), "{name} {register:?} {value:X}");
                if let Some(read) = read {
                    assert_eq!(cpu.read_counter_register(*register), *read, "{register:?}");
                }
            }
        };
        check(
            "max",
            &[
                (R::General(3), 0x1_8000_0000, Some(0xFFFF_8000_0000)),
                (R::General(0), 0x7FFF_FFFF, Some(0x7FFF_FFFF)),
                (R::Whole(1), 0x1234_8000_0000, Some(0x1234_8000_0000)),
                (R::Whole(1), 1 << 48, None),
                (R::Fixed(2), 1 << 47, Some(1 << 47)),
                (R::Fixed(2), 1 << 48, None),
                (R::Select(0), 0xFFBF_FFFF, Some(0xFFBF_FFFF)),
                (R::Select(0), 1 << 32, None),
                (R::FixedControl, 0x888, Some(0x888)),
                (R::FixedControl, 0x1000, None),
                (R::GlobalControl, 0x7_0000_000F, Some(0x7_0000_000F)),
                (R::GlobalControl, 0x10, None),
                (R::OverflowControl, 0xE000_0007_0000_000F, Some(0)),
                (R::OverflowControl, 0x10, None),
                (R::Capabilities, 0, None),
            ],
        );
        check(
            "core2",
            &[
                (R::General(1), 0x8000_0000, Some(0xFF_8000_0000)),
                (R::Select(0), 1 << 21, None),
                (R::FixedControl, 0xBBB, Some(0xBBB)),
                (R::FixedControl, 4, None),
                (R::OverflowControl, 1 << 61, None),
            ],
        );
        check(
            "epyc",
            &[(R::General(0), u64::MAX - 9, Some((1 << 48) - 10))],
        );
        check("pentium", &[(R::Select(0), u64::MAX, Some(0x03FF_03FF))]);
        let mut cpu = Interpreter::new(CpuId(0), model("max"));
        assert_eq!(cpu.read_counter_register(R::GlobalControl), 0xF);
        assert_eq!(cpu.read_counter_register(R::Capabilities), 0x2004);
    }

    #[test]
    fn rdpmc_reads_the_instructions_in_front_of_it() {
        // nop; nop; rdpmc; jmp $
        let mut board = Board::new(&[0x90, 0x90, 0x0F, 0x33, 0xEB, 0xFE]);
        board.stop_at = 20;
        for (name, index, counted) in [("max", 0, 2), ("max", 1 << 30, 2), ("pentium-mmx", 0, 2)] {
            let mut s = state(model(name));
            let p = &mut s.msr.performance;
            (p.fixed_control, p.global_control) = (1, 1 << 32 | 1);
            p.select[0] = if name == "max" { 0x42_00C0 } else { 0x56 };
            s.gpr[Gpr::Rcx as usize] = index;
            s.gpr[Gpr::Rdx as usize] = 7;
            let mut cpu = Interpreter::new(CpuId(0), model(name));
            cpu.set_state(&s);
            board.stop_at += 20;
            cpu.run(&mut board, None);
            let s = cpu.state();
            let found = (s.gpr[Gpr::Rax as usize], s.gpr[Gpr::Rdx as usize]);
            assert_eq!(found, (counted, 0), "{name}");
        }
    }

    #[test]
    fn rdpmc_refuses_counters_that_are_not_there_and_programs_without_pce() {
        for (name, index, cpl, pce, taken) in [
            ("max", 3, 0, false, true),
            ("max", 4, 0, false, false),
            ("max", 1 << 30 | 2, 0, false, true),
            ("max", 1 << 30 | 3, 0, false, false),
            ("max", 1 << 31, 0, false, false),
            ("max", 0, 3, true, true),
            ("max", 0, 3, false, false),
            ("p6", 1, 0, false, true),
            ("p6", 1 << 30, 0, false, false),
            ("pentium4", 0, 0, false, false),
        ] {
            let mut cpu = Interpreter::new(CpuId(0), model(name));
            cpu.regs.set_named(Gpr::Rcx, index as u32);
            cpu.cpl = cpl;
            cpu.cr4.set(Cr4::PCE, pce);
            let done = Rdpmc::execute(&mut cpu, OpRef::NONE);
            assert_eq!(done.is_ok(), taken, "{name} {index:X} {cpl}");
            assert!(taken || cpu.fault == Fault::GP0);
        }
    }
}
