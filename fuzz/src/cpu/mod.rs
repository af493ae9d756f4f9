//! The CPU on a bus of its own: random code in every mode, on every model, with interrupts, DMA over code and a memory
//! map that changes.
//!
//! Hangs are found by counting: a CPU that asks for attention again and again without retiring an instruction fails
//! the case.

mod bus;
mod code;
mod hard;
mod long_code;
mod long_tables;
mod tables;

use crate::{Target, hostile};
use bus::{Bus, RAM_BYTES};
use cpu::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId, Exit, Invalidate};
use emu_core::probe::{Probe, Watched};
use emu_core::testkit::Rng;
use emu_core::x86::{
    Activity, CpuState, Cr0, Cr4, DescriptorTable, Efer, Prefetch, Rflags, Seg, SegmentAttributes,
    SegmentRegister, Selector,
};

pub const DECODE: Target = Target {
    name: "cpu/decode",
    about: "random bytes through the decoder and the lowering of every model; steps are instructions",
    steps: 2000,
    play: |rng, steps| {
        let case = Case::new(rng, Kind::Bytes);
        case.play(steps, &How::CACHED);
    },
};

pub const REAL: Target = Target {
    name: "cpu/real",
    about: "random programs in real mode on every model; steps are instructions",
    steps: 5000,
    play: |rng, steps| {
        let case = Case::new(rng, Kind::Real);
        case.play(steps, &How::CACHED);
    },
};

pub const PROTECTED: Target = Target {
    name: "cpu/protected",
    about: "random programs under random tables in protected and virtual-8086 mode; steps are instructions",
    steps: 5000,
    play: |rng, steps| {
        let case = Case::new(rng, Kind::Protected);
        case.play(steps, &How::CACHED);
    },
};

pub const LONG: Target = Target {
    name: "cpu/long",
    about: "random programs under random tables in 64-bit and compatibility mode; steps are instructions",
    steps: 5000,
    play: |rng, steps| {
        let case = Case::new(rng, Kind::Long);
        case.play(steps, &How::CACHED);
    },
};

pub const CACHE: Target = Target {
    name: "cpu/cache",
    about: "the same programs with the block cache, without it, watched, in short pieces and restored: one outcome; steps are instructions",
    steps: 3000,
    play: |rng, steps| {
        let kind = [Kind::Real, Kind::Protected, Kind::Long][rng.below(3) as usize];
        let case = Case::new(rng, kind);
        let cached = case.play(steps, &How::CACHED);
        for how in How::OTHERS {
            let other = case.play(steps, &how);
            if !cached.is_same(&other) {
                case.show_first_difference(steps, &how);
            }
        }
    },
};

pub const STATE: Target = Target {
    name: "cpu/state",
    about: "CPU states that no program leads to, as a forged snapshot holds them; steps are instructions",
    steps: 500,
    play: |rng, steps| {
        let kind = [Kind::Protected, Kind::Long][rng.below(2) as usize];
        let mut case = Case::new(rng, kind);
        forge(&mut case.state, rng);
        case.play(steps, &How::CACHED);
    },
};

/// What kind of program.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    Bytes,
    Real,
    Protected,
    Long,
}

/// How it is executed.
#[derive(Copy, Clone)]
struct How {
    name: &'static str,
    cached: bool,
    /// By a probe, which may want to know of memory too.
    watched: Option<Watcher>,
    /// The board asks again every few instructions.
    short: bool,
    /// Each slice goes on in a new CPU that loads the state of the last.
    restored: bool,
}

impl How {
    const CACHED: Self = Self {
        name: "cached",
        cached: true,
        watched: None,
        short: false,
        restored: false,
    };
    /// All must end as that does.
    const OTHERS: [Self; 5] = [
        Self {
            name: "without the block cache",
            cached: false,
            ..Self::CACHED
        },
        Self {
            name: "watched",
            watched: Some(Watcher { memory: false }),
            ..Self::CACHED
        },
        Self {
            name: "with memory watched",
            watched: Some(Watcher { memory: true }),
            ..Self::CACHED
        },
        Self {
            name: "in short pieces",
            short: true,
            ..Self::CACHED
        },
        Self {
            name: "restored",
            restored: true,
            ..Self::CACHED
        },
    ];
}

/// A probe that only watches.
#[derive(Copy, Clone)]
struct Watcher {
    memory: bool,
}

impl Probe for Watcher {
    fn watched(&self) -> Watched {
        if self.memory {
            Watched::Everything
        } else {
            Watched::Nothing
        }
    }
}

/// A program, its tables and the state in which it starts.
struct Case {
    model: &'static CpuModel,
    ram: Vec<u8>,
    state: CpuState,
    seed: u64,
}

/// Names the registers that differ.
fn assert_same(one: &CpuState, other: &CpuState, when: &str) {
    if one != other {
        let (one, other) = (format!("{one:?}"), format!("{other:?}"));
        let differ: Vec<_> = one
            .split(", ")
            .zip(other.split(", "))
            .filter(|(a, b)| a != b)
            .collect();
        panic!("{when}: {differ:?}");
    }
}

/// How a case ended.
struct End {
    state: CpuState,
    ram: Vec<u8>,
    insns: u64,
}

impl Case {
    fn new(rng: &mut Rng, kind: Kind) -> Self {
        let models = CpuModel::ALL;
        let mut model = models[rng.below(models.len() as u64) as usize];
        if kind == Kind::Protected && (model.cr0 == 0 || rng.below(3) != 0) {
            model = CpuModel::P6;
        }
        if kind == Kind::Long {
            model = CpuModel::by_name("max").expect("the model with long mode");
        }
        let mut ram = vec![0; RAM_BYTES];
        if kind == Kind::Bytes {
            hostile::fill(&mut ram, rng);
        } else {
            hostile::fill(&mut ram[..0x1_0000], rng);
            code::fill(&mut ram[0x1_0000..0x3_0000], kind == Kind::Long, rng);
            hostile::fill(&mut ram[0x3_0000..0x5_0000], rng);
        }
        let mut state = model.reset_state();
        for gpr in &mut state.gpr {
            *gpr = match rng.below(3) {
                0 => u64::from(hostile::byte(rng)),
                1 => 0x1_0000 + rng.below(0x4_0000),
                _ => rng.next_u64() & 0xFFFF_FFFF,
            };
        }
        state.rip = rng.below(0x1000);
        real_segments(&mut state, rng);
        if kind != Kind::Bytes {
            // Interrupt vectors lead into the program.
            for vector in ram[..0x400].chunks_exact_mut(4) {
                vector[0] = rng.next_u64() as u8;
                vector[1] = rng.next_u64() as u8;
                vector[2..].copy_from_slice(&[0x00, 0x10 + rng.below(16) as u8]);
            }
        }
        if kind == Kind::Protected {
            tables::protect(model, &mut ram, &mut state, rng);
        }
        if kind == Kind::Long {
            long_tables::enter(model, &mut ram, &mut state, rng);
        }
        Self {
            model,
            ram,
            state,
            seed: rng.next_u64(),
        }
    }

    fn play(&self, steps: u64, how: &How) -> End {
        let mut bus = Bus::new(&self.ram, steps, self.seed, how.short);
        let new_cpu = |state: &CpuState| {
            let mut cpu = Interpreter::new(CpuId(0), self.model);
            cpu.set_block_cache(how.cached);
            cpu.set_state(state);
            cpu
        };
        let mut cpu = new_cpu(&self.state);
        let mut watcher = how.watched;
        let mut dead = 0;
        while bus.insns < bus.end {
            let probe = watcher.as_mut().map(|w| w as &mut dyn Probe);
            let exit = cpu.run(&mut bus, probe);
            assert!(
                !bus.hangs(),
                "the CPU retires no instruction any more: {:?}",
                cpu.state()
            );
            match exit {
                Exit::SliceEnd => {
                    bus.end_of_slice();
                    // A snapshot holds no translations.
                    if how.restored {
                        cpu = new_cpu(&cpu.state());
                    } else {
                        cpu.invalidate(Invalidate::Memory);
                    }
                }
                Exit::Halted | Exit::Shutdown => {
                    dead += 1;
                    if dead > 50 {
                        break;
                    }
                    bus.wake(dead % 4 == 0);
                }
                Exit::Probe => panic!("nobody asked to stop"),
            }
        }
        let state = cpu.state();
        cpu.set_state(&state);
        assert_same(&cpu.state(), &state, "loaded and saved again");
        cpu.invalidate(Invalidate::All);
        End {
            state,
            ram: bus.memory(),
            insns: bus.insns,
        }
    }
}

impl End {
    fn is_same(&self, other: &Self) -> bool {
        self.state == other.state && self.ram == other.ram && self.insns == other.insns
    }
}

impl Case {
    /// Fails with the instruction at which two ways of execution part.
    fn show_first_difference(&self, steps: u64, how: &How) -> ! {
        let differs = |n: u64| {
            let one = self.play(n, &How::CACHED);
            !one.is_same(&self.play(n, how))
        };
        // Once apart, two runs seldom meet again.
        let (mut same, mut apart) = (0, steps);
        while apart - same > 1 {
            let middle = same + (apart - same) / 2;
            if differs(middle) {
                apart = middle;
            } else {
                same = middle;
            }
        }
        let before = self.play(same, &How::CACHED);
        let cs = before.state.segment(Seg::Cs);
        let at = cs.base.wrapping_add(before.state.rip) as u32;
        let code: Vec<u8> = before
            .ram
            .iter()
            .skip(at as usize)
            .take(8)
            .copied()
            .collect();
        for n in same.saturating_sub(STEPS_SHOWN)..=apart {
            self.show_step(n, &How::CACHED);
            self.show_step(n, how);
        }
        let (one, other) = (self.play(apart, &How::CACHED), self.play(apart, how));
        let memory = one.ram.iter().zip(&other.ram).position(|(a, b)| a != b);
        println!(
            "{}: instruction {apart} at {at:X}h ({code:02X?}), memory differs at {memory:X?}, counts {} and {}",
            self.model.name, one.insns, other.insns
        );
        assert_same(&one.state, &other.state, how.name);
        panic!("{}: memory or counts differ", how.name);
    }
}

/// So many instructions before the one at which two ways of execution part are shown.
const STEPS_SHOWN: u64 = 3;

impl Case {
    /// Shows where a program is after so many instructions.
    fn show_step(&self, insns: u64, how: &How) {
        let End { state: s, ram, .. } = self.play(insns, how);
        let at = s.segment(Seg::Cs).base.wrapping_add(s.rip) as u32;
        let code: Vec<u8> = ram.iter().skip(at as usize).take(8).copied().collect();
        println!(
            "{insns:5} {:24} {at:X}h {code:02X?} {:X?} {:?} {:?} shadows {} {} NMI {} {} debug {:X} repeating {}",
            how.name,
            s.gpr,
            s.rflags,
            s.activity,
            s.sti_shadow,
            s.mov_ss_shadow,
            s.nmi_pending,
            s.nmi_blocked,
            s.pending_debug,
            s.repeating
        );
    }
}

fn real_segments(state: &mut CpuState, rng: &mut Rng) {
    for (n, segment) in state.segments.iter_mut().enumerate() {
        let selector = if n == Seg::Cs as usize {
            0x1000 + rng.below(0x100) as u16
        } else {
            rng.below(0x5000) as u16
        };
        segment.selector = Selector(selector);
        segment.base = u64::from(selector) << 4;
        if rng.below(16) == 0 {
            // Unreal mode.
            segment.limit = rng.next_u64() as u32;
        }
    }
}

/// A state as a forged snapshot may hold it: any bit anywhere.
fn forge(state: &mut CpuState, rng: &mut Rng) {
    for _ in 0..=rng.below(6) {
        let (wild, small) = (rng.next_u64(), rng.below(8) as usize);
        let wild = wild >> rng.below(64);
        let segment = SegmentRegister {
            selector: Selector(rng.next_u64() as u16),
            base: rng.next_u64() >> rng.below(64),
            limit: rng.next_u64() as u32,
            attributes: SegmentAttributes::from_bits_retain(rng.next_u64() as u32),
        };
        match rng.below(24) {
            0 => state.gpr[small] = wild,
            1 => state.rip = wild,
            2 => state.rflags = Rflags::from_bits_retain(wild),
            3..6 => state.segments[small % 6] = segment,
            6 => state.ldtr = segment,
            7 => state.tr = segment,
            8 => {
                state.gdtr = DescriptorTable {
                    base: wild,
                    limit: small as u16,
                }
            }
            9 => state.idtr.base = wild,
            10 if wild & 1 != 0 => state.efer = Efer::from_bits_retain(wild),
            10 => state.cr0 = Cr0::from_bits_retain(wild),
            11 => state.cr3 = wild,
            12 => state.cr4 = Cr4::from_bits_retain(wild),
            13 => state.pdpte[small % 4] = wild,
            14 => state.dr[small % 4] = wild,
            15 => (state.dr6, state.dr7) = (wild, rng.next_u64()),
            16 => {
                state.x87.control = wild as u16;
                state.x87.status = (wild >> 16) as u16;
                state.x87.not_empty = (wild >> 32) as u8;
            }
            17 => {
                state.x87.significand[small] = wild;
                state.x87.sign_exponent[small] = rng.next_u64() as u16;
            }
            18 => state.msr.tsc_offset = wild,
            19 => {
                state.activity = [
                    Activity::Halted,
                    Activity::Shutdown,
                    Activity::Waiting { for_masked: false },
                    Activity::Waiting { for_masked: true },
                ][small & 3]
            }
            20 => {
                state.sti_shadow = wild & 1 != 0;
                state.mov_ss_shadow = wild & 2 != 0;
                state.nmi_blocked = wild & 4 != 0;
                state.nmi_pending = wild & 8 != 0;
            }
            21 if wild & 1 != 0 => state.monitor = Some(wild),
            21 => state.pending_debug = wild,
            22 => {
                state.prefetch = Prefetch {
                    len: wild as u8,
                    bytes: [wild as u8; 32],
                }
            }
            _ => {
                // As far as a snapshot may go.
                state.retired = (1 << 62) - 1 - (wild & 0xFFF);
                assert!(state.is_valid());
            }
        }
    }
}
