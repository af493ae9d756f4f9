//! Laws of repeated string instructions: many elements at once are the same run as one after the other.
//!
//! Random programs of three of them run three times: as they are; under a probe that watches memory, so that no element
//! finds its page in the TLB; and with an event due after each repetition, so that there is never more than one to do.

use crate::tests::{Board, Random};
use crate::{CpuModel, Interpreter};
use emu_core::backend::{CpuBackend, CpuId, Exit, SystemBus};
use emu_core::probe::{Memory, Probe, Watched};
use emu_core::x86::{
    CpuState, Cr0, Cr4, DescriptorTable, Efer, Gpr, Rflags, Seg, SegmentAttributes as A, Selector,
};

const CODE: u64 = 0x1000;
const HANDLER: u64 = 0x3000;
const STACK: u64 = 0xF000;
/// Page directories and tables: of 32-bit paging, of 4-level paging.
const PD: u64 = 0x1_0000;
const PML4: u64 = 0x1_4000;
/// The physical pages that strings lie in.
const DATA: u64 = 0x4_0000;
const DATA_PAGES: u64 = 8;
/// The linear pages that lead there if there is paging, each to any of them, and as many up to the end of 4 GiB.
const WINDOW: u64 = 0x40_0000;
const TOP: u64 = 0xFFFF_0000;
const WINDOW_PAGES: u64 = 16;
const PRESENT: u64 = 1;
const WRITABLE: u64 = 2;
const MEMORY: usize = 1 << 20;

impl Random {
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
    /// From `-n` to `n`.
    fn about(&mut self, n: u64) -> u64 {
        self.below(2 * n + 1).wrapping_sub(n)
    }
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Mode {
    Real,
    Protected,
    Long,
}

/// What a program begins with.
#[derive(Debug)]
struct Case {
    mode: Mode,
    code: Vec<u8>,
    state: CpuState,
    model: &'static CpuModel,
    stop_at: u64,
    period: u64,
}

/// One run's way of going about it.
#[derive(Copy, Clone, Debug)]
enum Way {
    AsItIs,
    /// Instruction by instruction.
    Watched,
    /// Only loads and stores of some addresses, the first to the last.
    Addresses(u64, u64),
    OneByOne,
}

/// Hears of loads and stores.
struct Watches {
    way: Way,
    heard: Vec<Memory>,
}

impl Probe for Watches {
    fn wants_execute(&self) -> bool {
        matches!(self.way, Way::Watched)
    }
    fn watched(&self) -> Watched {
        match self.way {
            Way::Addresses(first, last) => Watched::Addresses(first, last),
            _ => Watched::Everything,
        }
    }
    fn memory(&mut self, m: &Memory) {
        self.heard.push(*m);
    }
}

/// Everything that a run leaves.
#[derive(PartialEq)]
struct End {
    exit: Exit,
    insns: u64,
    state: CpuState,
    memory: Vec<u8>,
    heard: Vec<Memory>,
}

impl Case {
    fn random(r: &mut Random) -> Self {
        let mode = r.of(&[Mode::Real, Mode::Protected, Mode::Long]);
        let model = CpuModel::by_name(match mode {
            Mode::Real => r.of(&["8086", "80386", "80486", "p6", "athlon"]),
            Mode::Protected => r.of(&["80386", "80486", "p6", "athlon"]),
            Mode::Long => r.of(&["max", "epyc"]),
        });
        let model = model.expect("a model");
        let mut state = model.reset_state();
        for g in &mut state.gpr {
            *g = r.next();
        }
        if mode != Mode::Long {
            state.gpr = state.gpr.map(|g| g & 0xFFFF_FFFF);
        }
        state.rip = CODE;
        state.gpr[Gpr::Rsp as usize] = STACK;
        state.rflags = Rflags::ONE;
        state.rflags.set(Rflags::DF, r.one_in(2));
        for (n, s) in state.segments.iter_mut().enumerate() {
            s.selector = Selector(if mode == Mode::Real { 0 } else { 8 });
            s.base = 0;
            s.limit = if model.processor.is_some() || mode == Mode::Real {
                0xFFFF
            } else {
                u32::MAX
            };
            // Accessed, writable or readable; code, of the mode's size.
            let mut bits = A::from_bits_retain(0x93) | A::USABLE;
            if n == Seg::Cs as usize {
                bits |= A::CODE;
                match mode {
                    Mode::Real => {}
                    Mode::Protected => bits |= A::BIG,
                    Mode::Long => bits |= A::LONG,
                }
            }
            s.attributes = bits;
        }
        match mode {
            Mode::Real => {}
            Mode::Protected => {
                state.cr0 = Cr0::PE | Cr0::PG | Cr0::ET | Cr0::WP;
                state.cr3 = PD;
            }
            Mode::Long => {
                state.cr0 = Cr0::PE | Cr0::PG | Cr0::ET | Cr0::NE | Cr0::WP;
                state.cr3 = PML4;
                state.cr4 = Cr4::PAE;
                state.efer = Efer::LME | Efer::LMA;
            }
        }
        if mode != Mode::Real {
            // A fault finds no gate: the registers are as it left them.
            state.idtr = DescriptorTable::default();
        }
        let mut case = Self {
            mode,
            code: Vec::new(),
            state,
            model,
            stop_at: r.below(40) * r.below(40),
            period: r.of(&[3, 17, 100, 5000, 1 << 20]),
        };
        let only_16 = model.name == "8086";
        let address = case.place(r, only_16);
        for n in 0..3 {
            case.instruction(r, address, only_16, n);
        }
        case.code.push(0xF4);
        case
    }

    /// Gives the strings their places, and the address size of all instructions.
    fn place(&mut self, r: &mut Random, only_16: bool) -> u32 {
        let address = match self.mode {
            _ if only_16 => 16,
            Mode::Long => r.of(&[32, 64]),
            _ => r.of(&[16, 32]),
        };
        let mask = u64::MAX >> (64 - address);
        let window = match self.mode {
            Mode::Real => r.of(&[DATA, DATA, CODE]),
            _ => r.of(&[WINDOW, WINDOW, WINDOW, TOP, 0]),
        };
        let pages = if window < WINDOW {
            DATA_PAGES
        } else {
            WINDOW_PAGES
        };
        let source = (window + r.below(pages) * 0x1000)
            .wrapping_add(r.about(40))
            .wrapping_add(r.of(&[0, 0, 0x800]));
        // Beside the source, at the same place of another page, or anywhere.
        let destination = match r.below(3) {
            0 => source.wrapping_add(r.about(9)),
            1 => source
                .wrapping_add(r.about(3).wrapping_mul(0x1000))
                .wrapping_add(r.about(9)),
            _ => (window + r.below(pages) * 0x1000).wrapping_add(r.about(40)),
        };
        let real_limit = self.state.segment(Seg::Ds).limit;
        for (seg, register, linear) in [
            (Seg::Ds, Gpr::Rsi, source),
            (Seg::Es, Gpr::Rdi, destination),
        ] {
            let offset = if self.mode == Mode::Long {
                linear
            } else {
                // Near the ends of what offsets there are, or as far from the base as the linear address, or anywhere.
                match r.below(4) {
                    0 => r.about(30) & mask,
                    1 => linear & mask,
                    _ => r.next() & mask,
                }
            };
            let s = &mut self.state.segments[seg as usize];
            if self.mode != Mode::Long {
                s.base = linear.wrapping_sub(offset) & 0xFFFF_FFFF;
            }
            let near = (offset.wrapping_add(r.about(200)) & mask) as u32;
            s.limit = match r.below(8) {
                0 => near,
                1 => {
                    s.attributes |= A::EXPAND_DOWN;
                    s.attributes.set(A::BIG, r.one_in(2));
                    near
                }
                _ if real_limit == 0xFFFF && r.one_in(2) => 0xFFFF,
                _ if real_limit == 0xFFFF && self.model.processor.is_some() => 0xFFFF,
                _ => u32::MAX,
            };
            // What is above the address size does not count, and stays.
            let whole = &mut self.state.gpr[register as usize];
            *whole = *whole & !mask | offset & mask;
        }
        address
    }

    /// Adds a string instruction, and before it what it counts from.
    fn instruction(&mut self, r: &mut Random, address: u32, only_16: bool, n: u64) {
        let count = match r.below(4) {
            0 => r.below(5),
            1 | 2 => r.below(300),
            _ => r.below(6000),
        };
        if n == 0 {
            let c = &mut self.state.gpr[Gpr::Rcx as usize];
            *c = *c & !(u64::MAX >> (64 - address)) | count;
        } else {
            // mov cx or ecx,count
            self.code.push(0xB9);
            let count = (count as u32).to_le_bytes();
            self.code.extend(if self.mode == Mode::Real {
                &count[..2]
            } else {
                &count[..]
            });
        }
        let usual = match self.mode {
            Mode::Real => 16,
            Mode::Protected => 32,
            Mode::Long => 64,
        };
        if address != usual {
            self.code.push(0x67);
        }
        if !only_16 && r.one_in(2) {
            self.code.push(0x66);
        }
        if r.one_in(8) {
            // The source in ES.
            self.code.push(0x26);
        }
        self.code.push(r.of(&[0xF2, 0xF3]));
        if self.mode == Mode::Long && r.one_in(3) {
            self.code.push(0x48);
        }
        // MOVS, CMPS, STOS, LODS, SCAS; of bytes or more.
        self.code
            .push(r.of(&[0xA4, 0xA4, 0xA6, 0xAA, 0xAC, 0xAE]) + r.below(2) as u8);
    }

    /// What memory holds at the start.
    fn memory(&self, r: &mut Random) -> Vec<u8> {
        let mut memory = vec![0; MEMORY];
        memory[CODE as usize..][..self.code.len()].copy_from_slice(&self.code);
        memory[HANDLER as usize] = 0xF4;
        for vector in 0..32 {
            memory[4 * vector..][..4].copy_from_slice(&(HANDLER as u32).to_le_bytes());
        }
        // All bytes different; or all the same but for some, so that comparisons go on for long.
        let accumulator = self.state.gpr[Gpr::Rax as usize] as u8;
        let rare = r.of(&[1, 300, 5000]);
        for b in &mut memory[DATA as usize..(DATA + 0x1000 * DATA_PAGES) as usize] {
            *b = match r.one_in(rare) {
                true => r.next() as u8,
                false => accumulator,
            };
        }
        let mut set = |at: u64, v: u64, bytes: usize| {
            memory[at as usize..][..bytes].copy_from_slice(&v.to_le_bytes()[..bytes]);
        };
        let mut tables = |directory: u64, tables: [u64; 3], bytes: u64| {
            let per_table = 0x1000 / bytes;
            let [low, window, top] = tables;
            let mut entry = |table: u64, n: u64, v: u64| {
                set(table + n % per_table * bytes, v, bytes as usize);
            };
            let leads = PRESENT | WRITABLE;
            let in_window = WINDOW / 0x1000 / per_table;
            entry(directory, 0, low | leads);
            entry(directory, in_window, window | leads);
            entry(directory + 0x1000 * (bytes / 8), per_table - 1, top | leads);
            for page in 0..256 {
                entry(low, page, page << 12 | leads);
            }
            for (table, at) in [(window, WINDOW), (top, TOP)] {
                for page in 0..WINDOW_PAGES {
                    let to = DATA + r.below(DATA_PAGES) * 0x1000;
                    let rights = r.of(&[leads, leads, leads, leads, leads, PRESENT, 0]);
                    entry(table, at / 0x1000 + page, to | rights);
                }
            }
        };
        match self.mode {
            Mode::Real => {}
            Mode::Protected => tables(PD, [PD + 0x1000, PD + 0x2000, PD + 0x3000], 4),
            Mode::Long => {
                // The directories of the first and of the fourth GiB stand side by side.
                let directory = PML4 + 0x2000;
                tables(directory, [PML4 + 0x4000, PML4 + 0x5000, PML4 + 0x6000], 8);
                set(PML4, (PML4 + 0x1000) | PRESENT | WRITABLE, 8);
                set(PML4 + 0x1000, directory | PRESENT | WRITABLE, 8);
                set(PML4 + 0x1018, (directory + 0x1000) | PRESENT | WRITABLE, 8);
            }
        }
        memory
    }

    /// Runs it, stopped once on the way. What it left when it stopped, and at its end.
    fn run(&self, memory: &[u8], way: Way) -> [End; 2] {
        let mut board = Board::new(&[]);
        board.ram[0].write(0, memory);
        board.period = match way {
            Way::OneByOne => 1,
            _ => self.period,
        };
        let mut cpu = Interpreter::new(CpuId(0), self.model);
        cpu.set_state(&self.state);
        [self.stop_at, 40_000].map(|stop_at| {
            board.stop_at = stop_at;
            let heard = Vec::new();
            let mut watches = Watches { way, heard };
            let probe: Option<&mut dyn Probe> = match way {
                Way::Watched | Way::Addresses(..) => Some(&mut watches),
                _ => None,
            };
            let exit = cpu.run(&mut board, probe);
            let mut memory = vec![0; MEMORY];
            board.ram[0].read(0, &mut memory);
            End {
                exit,
                insns: board.insns(),
                state: cpu.state(),
                memory,
                heard: watches.heard,
            }
        })
    }
}

/// Whether an access touches any of these addresses.
fn touches(m: &Memory, from: u64, to: u64) -> bool {
    m.linear <= to && m.linear.saturating_add(m.width.bytes() as u64 - 1) >= from
}

#[test]
fn repetitions_at_once_are_the_same_run_as_one_after_the_other() {
    let mut exits = [0u32; 3];
    let mut heard = 0;
    for seed in 1..=1500u64 {
        let mut r = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let case = Case::random(&mut r);
        let memory = case.memory(&mut r);
        let expected = case.run(&memory, Way::Watched);
        // Some bytes about one that is touched.
        let touched = expected.iter().flat_map(|end| &end.heard);
        let somewhere = touched.clone().nth(r.below(64) as usize);
        let from = somewhere.map_or(DATA, |m| m.linear.wrapping_add(r.about(6)));
        let to = from.saturating_add(r.of(&[0, 0, 3, 7, 40, 5000]));
        heard += touched.filter(|m| touches(m, from, to)).count();
        for way in [Way::AsItIs, Way::OneByOne, Way::Addresses(from, to)] {
            let got = case.run(&memory, way);
            for (got, expected) in got.iter().zip(&expected) {
                let what = format!("seed {seed}, {way:?}, {case:X?}");
                assert_eq!(got.exit, expected.exit, "{what}");
                assert_eq!(got.insns, expected.insns, "{what}");
                assert_eq!(got.state, expected.state, "{what}");
                let differs = (0..MEMORY).find(|&i| got.memory[i] != expected.memory[i]);
                assert_eq!(differs, None, "{what}");
                if matches!(way, Way::Addresses(..)) {
                    let mut all = expected.heard.clone();
                    all.retain(|m| touches(m, from, to));
                    assert!(got.heard == all, "{what}: {:X?} {all:X?}", got.heard);
                }
            }
        }
        exits[match expected[1].exit {
            Exit::Halted => 0,
            Exit::Shutdown => 1,
            _ => 2,
        }] += 1;
    }
    // Most come to an end, many of those by a fault.
    assert!(exits[0] > 700 && exits[1] > 100, "{exits:?}");
    assert!(heard > 5000, "{heard}");
}
