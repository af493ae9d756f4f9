//! Laws of the loop and the caches, on a board of nothing but RAM.

use crate::{CpuModel, Interpreter, Tuning};
use emu_core::backend::{Attention, CpuBackend, CpuId, Exit, Special, SystemBus};
use emu_core::bus::{Gpa, PageView, Width};
use emu_core::ram::Ram;
use emu_core::x86::{CpuState, Cr0, Gpr, Seg, SegmentAttributes, Selector};

/// A generator whose run repeats (Marsaglia's xorshift).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }
}

/// As fast as can be, and without each of what that is made of.
const TUNINGS: [Tuning; 5] = {
    let fast = Tuning::FAST;
    [
        fast,
        Tuning {
            keeps_blocks: false,
            ..fast
        },
        Tuning {
            long_blocks: false,
            ..fast
        },
        Tuning {
            links_blocks: false,
            ..fast
        },
        Tuning {
            shortens: false,
            ..fast
        },
    ]
};

/// RAM at 0, ports that remember, and an event after each `period` instructions.
pub(crate) struct Board {
    pub(crate) ram: [Ram; 1],
    insns: u64,
    pub(crate) stop_at: u64,
    /// What the board asks for besides [`Attention::STOP`].
    pub(crate) attention: Attention,
    /// What it answers an acknowledged interrupt with.
    pub(crate) vector: Option<u8>,
    out: Vec<(u64, u16, u32)>,
    /// The counts of instructions at which performance counters asked for an interrupt.
    pub(crate) overflows: Vec<u64>,
    pub(crate) period: u64,
}

impl Board {
    pub(crate) fn new(code: &[u8]) -> Self {
        let ram = Ram::new("ram", 1 << 20).expect("memory");
        ram.write(0x1000, code);
        Self {
            ram: [ram],
            insns: 0,
            stop_at: u64::MAX,
            attention: Attention::empty(),
            vector: None,
            out: Vec::new(),
            overflows: Vec::new(),
            period: 1000,
        }
    }
}

#[test]
fn time_passes_while_each_debug_exception_meets_a_data_breakpoint_of_its_own() {
    let model = CpuModel::P6;
    let mut state = CpuState {
        gpr: [0x2000; 16],
        // Reads and writes of the four bytes of vector 1.
        dr: [4, 0, 0, 0],
        dr7: 0x000F_0401,
        pending_debug: 1,
        rip: 0x1000,
        ..model.reset_state()
    };
    for segment in &mut state.segments {
        segment.selector = Selector(0);
        segment.base = 0;
    }
    // jmp $
    let mut board = Board::new(&[0xEB, 0xFE]);
    board.ram[0].write(4, &[0x00, 0x10, 0, 0]);
    board.stop_at = 100;
    let mut cpu = Interpreter::new(CpuId(0), model);
    cpu.set_state(&state);
    assert_eq!(cpu.run(&mut board, None), Exit::SliceEnd);
    assert_eq!(board.insns, 100);
}

#[test]
fn a_cpu_in_shutdown_stays_there_while_nmis_are_blocked() {
    let model = CpuModel::P6;
    let state = CpuState {
        activity: emu_core::x86::Activity::Shutdown,
        nmi_blocked: true,
        nmi_pending: true,
        ..model.reset_state()
    };
    let mut board = Board::new(&[]);
    let mut cpu = Interpreter::new(CpuId(0), model);
    cpu.set_state(&state);
    assert_eq!(cpu.run(&mut board, None), Exit::Shutdown);
    assert_eq!(cpu.state(), state);
    // Unblocked, the NMI is taken and ends it.
    cpu.set_state(&CpuState {
        nmi_blocked: false,
        ..state
    });
    board.stop_at = 1;
    assert_eq!(cpu.run(&mut board, None), Exit::SliceEnd);
    assert_eq!(cpu.state().activity, emu_core::x86::Activity::Running);
}

impl SystemBus for Board {
    fn attention(&self, _: CpuId) -> Attention {
        let mut attention = self.attention;
        attention.set(Attention::STOP, self.insns >= self.stop_at);
        attention.set(Attention::CODE_WRITTEN, self.ram[0].code_was_written());
        attention
    }
    fn accept(&mut self, _: CpuId, _: Attention) {}
    fn advance(&mut self, retired: u64) {
        self.insns += retired;
    }
    fn countdown(&self) -> u64 {
        let next = (self.insns / self.period + 1) * self.period;
        next.min(self.stop_at.max(self.insns + 1)) - self.insns
    }
    fn insns(&self) -> u64 {
        self.insns
    }
    fn port_read(&mut self, _: CpuId, port: u16, _: Width) -> u32 {
        u32::from(port)
    }
    fn port_write(&mut self, _: CpuId, port: u16, _: Width, value: u32) {
        self.out.push((self.insns, port, value));
    }
    fn mmio_read(&mut self, _: CpuId, _: Gpa, _: bool, w: Width) -> u64 {
        w.mask()
    }
    fn mmio_write(&mut self, _: CpuId, _: Gpa, _: bool, _: Width, _: u64) {}
    fn page(&self, gpa: Gpa, _: bool) -> PageView {
        if gpa.0 < 1 << 20 {
            let side = Some((self.ram[0].clone(), gpa.0 as usize & !0xFFF));
            PageView {
                read: side.clone(),
                write: side,
            }
        } else {
            PageView::default()
        }
    }
    fn acknowledge(&mut self, _: CpuId) -> Option<u8> {
        self.vector
    }
    fn special_cycle(&mut self, _: CpuId, cycle: Special) {
        if cycle == Special::CounterOverflow {
            self.overflows.push(self.insns);
        }
    }
    fn blocks(&self) -> &[Ram] {
        &self.ram
    }
}

/// A CPU in real mode at 0000:1000 with its stack at 0000:F000.
fn at_1000() -> Interpreter {
    let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
    let mut s = cpu.state();
    s.segments[Seg::Cs as usize].selector = Selector(0);
    s.segments[Seg::Cs as usize].base = 0;
    s.rip = 0x1000;
    s.gpr[Gpr::Rsp as usize] = 0xF000;
    cpu.set_state(&s);
    cpu
}

/// In protected mode at 1000h, in 32-bit segments that are all of the memory.
pub(crate) fn flat_at_1000(cpu: &Interpreter) -> CpuState {
    let mut s = cpu.state();
    s.cr0.insert(Cr0::PE);
    for seg in Seg::ALL {
        let reg = &mut s.segments[seg as usize];
        reg.base = 0;
        reg.limit = u32::MAX;
        reg.attributes |= SegmentAttributes::BIG;
    }
    s.rip = 0x1000;
    s
}

fn run(board: &mut Board, cpu: &mut Interpreter) -> (Exit, CpuState) {
    let exit = cpu.run(board, None);
    (exit, cpu.state())
}

/// mov cx,100 / l: add ax,cx / push ax / pop bx / loop l / out 80h,ax / hlt
const SUM: [u8; 12] = [
    0xB9, 100, 0, 0x01, 0xC8, 0x50, 0x5B, 0xE2, 0xFA, 0xE7, 0x80, 0xF4,
];

#[test]
fn a_loop_sums_and_halts_after_the_exact_number_of_instructions() {
    let mut board = Board::new(&SUM);
    let mut cpu = at_1000();
    let (exit, s) = run(&mut board, &mut cpu);
    assert_eq!(exit, Exit::Halted);
    assert_eq!(s.gpr[Gpr::Rax as usize], 5050);
    assert_eq!(s.gpr[Gpr::Rbx as usize], 5050);
    assert_eq!(board.insns, 1 + 400 + 2);
    assert_eq!(board.out, [(401, 0x80, 5050)]);
    assert_eq!(s.rip, 0x100C);
}

#[test]
fn stopping_at_any_instruction_and_going_on_changes_nothing() {
    let reference = {
        let mut board = Board::new(&SUM);
        let mut cpu = at_1000();
        run(&mut board, &mut cpu).1
    };
    for tuning in TUNINGS {
        for stop in 0..403 {
            let mut board = Board::new(&SUM);
            board.stop_at = stop;
            let mut cpu = at_1000();
            cpu.tune(tuning);
            let (exit, s) = run(&mut board, &mut cpu);
            assert_eq!((exit, board.insns), (Exit::SliceEnd, stop));
            let mut other = at_1000();
            other.set_state(&s);
            board.stop_at = u64::MAX;
            let (exit, s) = run(&mut board, &mut other);
            assert_eq!((exit, s), (Exit::Halted, reference), "stopped at {stop}");
        }
    }
}

#[test]
fn arithmetic_in_a_block_leaves_the_flags_that_it_leaves_one_by_one() {
    let insns: [&[u8]; 28] = [
        &[0x01, 0xD8],             // add ax,bx
        &[0x11, 0xD8],             // adc ax,bx
        &[0x29, 0xD8],             // sub ax,bx
        &[0x19, 0xD8],             // sbb ax,bx
        &[0x31, 0xD8],             // xor ax,bx
        &[0x21, 0xD8],             // and ax,bx
        &[0x39, 0xD8],             // cmp ax,bx
        &[0x84, 0xE3],             // test bl,ah
        &[0x40],                   // inc ax
        &[0x4B],                   // dec bx
        &[0xF7, 0xD8],             // neg ax
        &[0xF7, 0xD0],             // not ax
        &[0xC1, 0xC0, 0x03],       // rol ax,3
        &[0xD1, 0xC8],             // ror ax,1
        &[0xD1, 0xD3],             // rcl bx,1
        &[0xD3, 0xE0],             // shl ax,cl
        &[0xC1, 0xFB, 0x02],       // sar bx,2
        &[0x0F, 0xA4, 0xC3, 0x05], // shld bx,ax,5
        &[0x89, 0xC1],             // mov cx,ax
        &[0x8D, 0x47, 0x35],       // lea ax,[bx+35h]
        &[0x0F, 0x92, 0xC1],       // setc cl
        &[0x0F, 0x44, 0xC3],       // cmovz ax,bx
        &[0x0F, 0xAF, 0xC3],       // imul ax,bx
        &[0x0F, 0xA3, 0xD8],       // bt ax,bx
        &[0x9F],                   // lahf
        &[0xA3, 0x00, 0x20],       // mov [2000h],ax
        &[0xF6, 0xF3],             // div bl
        &[0x72, 0x00],             // jc to the next
    ];
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut random = move |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % n
    };
    for _ in 0..400 {
        let code = (0..48).flat_map(|_| insns[random(28)].to_vec());
        let code: Vec<u8> = code.chain([0xF4]).collect();
        let stop = random(60) as u64;
        let ended = TUNINGS.map(|tuning| {
            let mut board = Board::new(&code);
            // The handler of the divide error, which finds the flags on the stack: hlt.
            board.ram[0].write(0, &[0x00, 0x30, 0, 0]);
            board.ram[0].write(0x3000, &[0xF4]);
            let mut cpu = at_1000();
            cpu.tune(tuning);
            board.stop_at = stop;
            let stopped = run(&mut board, &mut cpu);
            board.stop_at = u64::MAX;
            let ended = run(&mut board, &mut cpu);
            let sp = ended.1.gpr[Gpr::Rsp as usize] & 0xFFFF;
            (
                stopped,
                ended,
                board.insns,
                board.ram[0].read_u16(sp as usize + 4),
            )
        });
        for (other, tuning) in ended[1..].iter().zip(&TUNINGS[1..]) {
            assert_eq!(
                *other, ended[0],
                "{code:02x?}, stopped at {stop}, {tuning:?}"
            );
        }
    }
}

#[test]
fn code_that_runs_over_the_end_of_its_segment_does_not_go_on_at_its_start() {
    // jz, not taken; loop with a count of 1; nop / nop: at 1000:FFFE, reached from 1000:0000 by jmp FFFEh.
    for last in [[0x74, 0x00], [0xE2, 0x00], [0x90, 0x90]] {
        let mut board = Board::new(&[]);
        board.period = 1 << 20;
        board.ram[0].write(0x1_0000, &[0xE9, 0xFB, 0xFF]);
        board.ram[0].write(0x1_FFFE, &last);
        // The handler of the general protection exception: hlt.
        board.ram[0].write(4 * 13, &[0x00, 0x30, 0, 0]);
        board.ram[0].write(0x3000, &[0xF4]);
        let mut cpu = at_1000();
        let mut s = cpu.state();
        s.segments[Seg::Cs as usize].selector = Selector(0x1000);
        s.segments[Seg::Cs as usize].base = 0x1_0000;
        s.rip = 0;
        s.gpr[Gpr::Rcx as usize] = 1;
        cpu.set_state(&s);
        board.stop_at = 50;
        let (exit, s) = run(&mut board, &mut cpu);
        assert_eq!((exit, s.rip), (Exit::Halted, 0x3001), "{last:02x?}");
    }
}

#[test]
fn a_repeated_move_counts_each_repetition_and_can_be_stopped_between_any_two() {
    // mov si,2000h / mov di,3000h / mov cx,50 / rep movsb / hlt
    let code = [0xBE, 0, 0x20, 0xBF, 0, 0x30, 0xB9, 50, 0, 0xF3, 0xA4, 0xF4];
    for stop in 0..54 {
        let mut board = Board::new(&code);
        board.ram[0].write(0x2000, &[7; 50]);
        board.stop_at = stop;
        let mut cpu = at_1000();
        let (exit, s) = run(&mut board, &mut cpu);
        assert_eq!((exit, board.insns), (Exit::SliceEnd, stop));
        let moved = stop.saturating_sub(3).min(50);
        if stop > 3 {
            assert_eq!(s.gpr[Gpr::Rcx as usize], 50 - moved);
            assert_eq!(s.rip, if moved == 50 { 0x100B } else { 0x1009 });
        }
        board.stop_at = u64::MAX;
        assert_eq!(run(&mut board, &mut cpu).0, Exit::Halted);
        assert_eq!(board.insns, 54);
        assert_eq!(board.ram[0].read_u8(0x3031), 7);
        assert_eq!(board.ram[0].read_u8(0x3032), 0);
    }
}

#[test]
fn an_instruction_that_the_one_before_it_changed_executes_as_changed() {
    // l: mov byte [1006h],42h ; inc ax -> inc dx / nop / jmp to hlt
    let code = [0xC6, 0x06, 0x06, 0x10, 0x42, 0x90, 0x40, 0xF4];
    let mut board = Board::new(&code);
    let mut cpu = at_1000();
    let (_, s) = run(&mut board, &mut cpu);
    assert_eq!(s.gpr[Gpr::Rax as usize], 0);
    assert_eq!(s.gpr[Gpr::Rdx as usize] & 0xFFFF, (0x0634 + 1) & 0xFFFF);
}

#[test]
fn an_instruction_across_a_page_is_decoded_again_when_its_second_page_changes() {
    // 1FFEh: mov ax,imm16 (imm in the next page) / hlt
    let mut board = Board::new(&[]);
    board.ram[0].write(0x1FFF, &[0xB8, 0x34, 0x12, 0xF4]);
    let mut cpu = at_1000();
    for value in [0x1234u16, 0xBEEF] {
        board.ram[0].write_u16(0x2000, value);
        let mut s = at_1000().state();
        s.rip = 0x1FFF;
        cpu.set_state(&s);
        cpu.invalidate(emu_core::backend::Invalidate::All);
        let (_, s) = run(&mut board, &mut cpu);
        assert_eq!(s.gpr[Gpr::Rax as usize], u64::from(value));
    }
}

#[test]
fn a_trap_behind_a_store_into_the_prefetch_queue_empties_it() {
    for model in ["8086", "80286", "80386", "80486"] {
        // The handler of the single-step trap: hlt.
        let mut board = Board::new(&self_modifying(&[], 0));
        board.ram[0].write(4, &[0x00, 0x30, 0, 0]);
        board.ram[0].write(0x3000, &[0xF4]);
        let mut cpu = old_at_1000(model);
        let mut s = cpu.state();
        s.rflags |= emu_core::x86::Rflags::TF;
        cpu.set_state(&s);
        let (exit, s) = run(&mut board, &mut cpu);
        let ax = s.gpr[Gpr::Rax as usize];
        assert_eq!((exit, s.rip, ax), (Exit::Halted, 0x3001, 0), "{model}");
    }
}

fn old_at_1000(model: &str) -> Interpreter {
    let model = CpuModel::by_name(model).expect("a model");
    let mut cpu = Interpreter::new(CpuId(0), model);
    let mut s = cpu.state();
    s.segments[Seg::Cs as usize].selector = Selector(0);
    s.segments[Seg::Cs as usize].base = 0;
    s.rip = 0x1000;
    s.gpr[Gpr::Rsp as usize] = 0xF000;
    s.gpr[Gpr::Rdx as usize] = 0;
    cpu.set_state(&s);
    cpu
}

/// A store that makes INC DX of the INC AX `distance` bytes behind it, with NOPs before and `between` first.
fn self_modifying(between: &[u8], distance: usize) -> Vec<u8> {
    // mov byte [target],42h
    let target = 0x1005 + (between.len() + distance) as u16;
    let mut code = vec![0xC6, 0x06];
    code.extend(target.to_le_bytes());
    code.push(0x42);
    code.extend(between);
    code.extend(vec![0x90; distance]);
    // inc ax / hlt
    code.extend([0x40, 0xF4]);
    code
}

#[test]
fn stores_into_the_prefetch_queue_come_too_late_on_processors_that_have_one() {
    // AX and DX afterwards: which of the two instructions ran. jmp $+2 empties the queue.
    type Case<'a> = (&'a str, &'a [u8], usize, (u64, u64));
    let cases: [Case<'_>; 18] = [
        ("8088", &[], 3, (1, 0)),
        ("8088", &[], 4, (0, 1)),
        ("80186", &[], 5, (1, 0)),
        ("80186", &[], 6, (0, 1)),
        ("80386", &[], 15, (1, 0)),
        ("80386", &[], 16, (0, 1)),
        ("80486", &[0x66, 0x90, 0x72, 0], 26, (1, 0)),
        ("80486", &[], 32, (0, 1)),
        ("pentium", &[], 0, (0, 1)),
        ("8086", &[], 0, (1, 0)),
        ("8086", &[], 5, (1, 0)),
        ("8086", &[], 6, (0, 1)),
        ("8086", &[0xEB, 0], 0, (0, 1)),
        ("80286", &[], 5, (1, 0)),
        ("80286", &[], 6, (0, 1)),
        ("80286", &[0xEB, 0], 1, (0, 1)),
        // jc, not taken, does not.
        ("80286", &[0x72, 0], 1, (1, 0)),
        ("8086", &[0x72, 0], 1, (1, 0)),
    ];
    for (model, between, distance, expected) in cases {
        let code = self_modifying(between, distance);
        for cached in [true, false] {
            for stop in 0..12 {
                let mut board = Board::new(&code);
                board.stop_at = stop;
                let mut cpu = old_at_1000(model);
                cpu.set_block_cache(cached);
                let (exit, s) = run(&mut board, &mut cpu);
                let s = if exit == Exit::Halted {
                    s
                } else {
                    // The queue moves with the state.
                    let mut other = old_at_1000(model);
                    other.set_block_cache(cached);
                    other.set_state(&s);
                    board.stop_at = u64::MAX;
                    run(&mut board, &mut other).1
                };
                let got = [Gpr::Rax, Gpr::Rdx].map(|r| s.gpr[r as usize] & 0xFFFF);
                assert_eq!(
                    (got[0], got[1]),
                    expected,
                    "{model} {between:02X?} {distance}, cache {cached}, stopped at {stop}"
                );
            }
        }
    }
}

#[test]
fn a_store_elsewhere_in_the_page_does_not_open_the_queue_to_the_next_one() {
    // mov byte [1800h],0 / mov byte [target],42h / inc ax -> inc dx / hlt
    let code = [
        0xC6, 0x06, 0, 0x18, 0, 0xC6, 0x06, 0x0A, 0x10, 0x42, 0x40, 0xF4,
    ];
    for (model, cached) in [("8086", true), ("8086", false), ("80286", true)] {
        let mut board = Board::new(&code);
        let mut cpu = old_at_1000(model);
        cpu.set_block_cache(cached);
        let (exit, s) = run(&mut board, &mut cpu);
        assert_eq!(exit, Exit::Halted);
        assert_eq!(s.gpr[Gpr::Rax as usize] & 0xFFFF, 1, "{model}");
    }
}

#[test]
fn a_repeated_store_over_itself_goes_on_from_the_queue() {
    // mov di,1008h / mov cx,8 / mov al,90h / rep stosb (at 1008h) / hlt is overwritten by NOPs, the next one is not.
    let mut code = vec![0xBF, 0x08, 0x10, 0xB9, 8, 0, 0xB0, 0x90, 0xF3, 0xAA];
    code.resize(0x10, 0x40);
    code.push(0xF4);
    for cached in [true, false] {
        let mut board = Board::new(&code);
        let mut cpu = old_at_1000("8086");
        cpu.set_block_cache(cached);
        let (exit, s) = run(&mut board, &mut cpu);
        assert_eq!(exit, Exit::Halted);
        // All eight were stored, though the instruction destroyed itself, and the queue still held six INC AX.
        assert_eq!(s.gpr[Gpr::Rcx as usize] & 0xFFFF, 0);
        assert_eq!(board.ram[0].read_u16(0x1008), 0x9090);
        assert_eq!(board.ram[0].read_u8(0x100F), 0x90);
        assert_eq!(s.gpr[Gpr::Rax as usize] & 0xFFFF, 0x90 + 6);
    }
}

#[test]
fn a_repeated_store_that_changes_itself_is_decoded_again_before_its_next_repetition() {
    // std / mov di,100Ah / mov cx,9 / mov al,0F4h / rep stosb (at 1009h): the first repetition stores HLT over the
    // opcode's second byte, so what is next is REP HLT.
    let code = [0xFD, 0xBF, 0x0A, 0x10, 0xB9, 9, 0, 0xB0, 0xF4, 0xF3, 0xAA];
    for cached in [true, false] {
        let mut board = Board::new(&code);
        let mut cpu = at_1000();
        cpu.set_block_cache(cached);
        let (exit, s) = run(&mut board, &mut cpu);
        assert_eq!(exit, Exit::Halted);
        assert_eq!((s.rip, s.gpr[Gpr::Rcx as usize]), (0x100B, 8));
        assert_eq!(board.insns, 4 + 1 + 1);
    }
}

#[test]
fn a_segment_of_a_processor_before_the_80386_is_not_loaded_longer_than_64_kib() {
    for model in ["8086", "80286"] {
        let mut cpu = old_at_1000(model);
        let mut s = cpu.state();
        s.segments[Seg::Cs as usize].limit = 0x0012_3456;
        cpu.set_state(&s);
        assert_eq!(cpu.state().segment(Seg::Cs).limit, 0xFFFF);
    }
}

#[test]
fn loadall_fills_every_register_of_an_80286_from_memory_at_800h() {
    let mut board = Board::new(&[0x0F, 0x05]);
    let word = |at: usize, v: u16| board.ram[0].write_u16(0x800 + at, v);
    // TR, FLAGS, IP, LDT, DS, SS, CS, ES, DI, SI, BP, SP, BX, DX, CX, AX.
    let words = [
        0x0028, 0xF0D7, 0x0010, 0x0030, 0x0040, 0x0050, 0x0060, 0x0070, 1, 2, 3, 0x400, 5, 6, 7, 8,
    ];
    for (n, v) in words.into_iter().enumerate() {
        word(0x16 + 2 * n, v);
    }
    word(0x06, 0xFFF2);
    // ES, CS, SS, DS, GDT, LDT, IDT, TSS: base, rights, limit.
    let caches = [
        (0x02_0000u32, 0x93, 0x1111),
        (0x03_0000, 0x9B, 0xFFFF),
        (0x04_0000, 0x93, 0xFFFF),
        (0x05_4321, 0x93, 0x2222),
        (0x06_0000, 0, 0x3333),
        (0x07_0000, 0x82, 0x4444),
        (0x08_0000, 0, 0x0123),
        (0x09_0000, 0x83, 0x5555),
    ];
    for (n, (base, rights, limit)) in caches.into_iter().enumerate() {
        let at = 0x36 + 6 * n;
        word(at, base as u16);
        word(at + 2, (base >> 16) as u16 | rights << 8);
        word(at + 4, limit);
    }
    // mov ax,[0] / hlt
    board.ram[0].write(0x3_0010, &[0xA1, 0, 0, 0xF4]);
    board.ram[0].write_u16(0x5_4321, 0xBEEF);
    let mut cpu = old_at_1000("80286");
    let (exit, s) = run(&mut board, &mut cpu);
    assert_eq!((exit, s.rip), (Exit::Halted, 0x14));
    let gpr = s.gpr.map(|r| r & 0xFFFF);
    assert_eq!(gpr[..8], [0xBEEF, 7, 6, 5, 0x400, 3, 2, 1]);
    // IOPL and NT stay 0 in real mode; MP is set.
    assert_eq!(s.rflags.bits(), 0x0D7 & 0x0FD5 | 2);
    assert_eq!(s.cr0.bits() & 0xF, 2);
    let ds = s.segment(Seg::Ds);
    assert_eq!((ds.selector.0, ds.base, ds.limit), (0x40, 0x5_4321, 0x2222));
    assert_eq!(
        (s.segment(Seg::Es).base, s.segment(Seg::Es).limit),
        (0x2_0000, 0x1111)
    );
    assert_eq!(
        (s.tr.selector.0, s.tr.base, s.tr.limit),
        (0x28, 0x9_0000, 0x5555)
    );
    assert_eq!((s.ldtr.selector.0, s.ldtr.base), (0x30, 0x7_0000));
    assert_eq!((s.gdtr.base, s.gdtr.limit), (0x6_0000, 0x3333));
    assert_eq!((s.idtr.base, s.idtr.limit), (0x8_0000, 0x0123));
}

#[test]
fn the_interrupt_table_of_an_80286_ends_at_3ffh_after_reset() {
    let limit = |model: &str| {
        CpuModel::by_name(model)
            .expect("a model")
            .reset_state()
            .idtr
            .limit
    };
    assert_eq!((limit("80286"), limit("p6")), (0x3FF, 0xFFFF));
}

#[test]
fn enter_of_an_80286_makes_no_access_at_the_new_top_of_the_stack() {
    // enter 0EFFFh,0 with SP = F000h: SP becomes FFFFh, where no word could be written.
    let mut board = Board::new(&[0xC8, 0xFF, 0xEF, 0, 0xF4]);
    let mut cpu = old_at_1000("80286");
    let (exit, s) = run(&mut board, &mut cpu);
    assert_eq!(
        (exit, s.gpr[Gpr::Rsp as usize] & 0xFFFF),
        (Exit::Halted, 0xFFFF)
    );
    assert_eq!(s.gpr[Gpr::Rbp as usize] & 0xFFFF, 0xEFFE);
}
