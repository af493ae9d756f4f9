//! What a device asks for is noticed behind the instruction that accessed it, wherever that stands in its block.

use crate::{CpuModel, Interpreter};
use emu_core::backend::{Attention, CpuBackend, CpuId, Exit, Special, SystemBus};
use emu_core::bus::{Gpa, PageView, Width};
use emu_core::ram::Ram;
use emu_core::x86::{Activity, CpuState, Gpr, Seg, Selector};

/// A page that is no memory.
const DEVICE: u64 = 0xF_0000;

/// RAM, and a device that raises INTR at once or so many instructions later.
struct Board {
    ram: [Ram; 1],
    insns: u64,
    stop_at: u64,
    interrupt_at: u64,
    /// Instructions at each access to the device, and at each acknowledged interrupt.
    accesses: Vec<u64>,
    acknowledged: Vec<u64>,
}

impl Board {
    fn access(&mut self, delay: u64) {
        self.accesses.push(self.insns);
        self.interrupt_at = match delay {
            0xFF => u64::MAX,
            delay => self.insns + 1 + delay,
        };
    }
}

impl SystemBus for Board {
    fn attention(&self, _: CpuId) -> Attention {
        let mut a = Attention::empty();
        // The line is up as soon as the device says so, whatever the count.
        let at_once =
            self.interrupt_at == self.insns + 1 && self.accesses.last() == Some(&self.insns);
        a.set(Attention::INTR, at_once || self.insns >= self.interrupt_at);
        a.set(Attention::STOP, self.insns >= self.stop_at);
        a
    }
    fn accept(&mut self, _: CpuId, _: Attention) {}
    fn advance(&mut self, retired: u64) {
        assert!(retired <= self.countdown(), "past the countdown");
        self.insns += retired;
    }
    fn countdown(&self) -> u64 {
        let later = |at: &u64| *at > self.insns;
        let next = [self.interrupt_at, self.stop_at];
        let next = next.iter().copied().filter(later).min();
        next.map_or(1000, |at| at - self.insns)
    }
    fn insns(&self) -> u64 {
        self.insns
    }
    fn port_read(&mut self, _: CpuId, port: u16, _: Width) -> u32 {
        self.access(u64::from(port & 0xFF));
        0
    }
    fn port_write(&mut self, _: CpuId, port: u16, _: Width, _: u32) {
        self.access(u64::from(port & 0xFF));
    }
    fn mmio_read(&mut self, _: CpuId, gpa: Gpa, _: bool, _: Width) -> u64 {
        self.access(gpa.0 & 0xFF);
        0
    }
    fn mmio_write(&mut self, _: CpuId, gpa: Gpa, _: bool, _: Width, _: u64) {
        self.access(gpa.0 & 0xFF);
    }
    fn page(&self, gpa: Gpa, _: bool) -> PageView {
        let page = gpa.0 & !0xFFF;
        if page >= DEVICE {
            return PageView::default();
        }
        let side = Some((self.ram[0].clone(), page as usize));
        PageView {
            read: side.clone(),
            write: side,
        }
    }
    fn acknowledge(&mut self, _: CpuId) -> Option<u8> {
        self.acknowledged.push(self.insns);
        self.interrupt_at = u64::MAX;
        Some(0x20)
    }
    fn special_cycle(&mut self, _: CpuId, _: Special) {}
    fn blocks(&self) -> &[Ram] {
        &self.ram
    }
}

/// A program at 0000:1000, with interrupts on and DS at the device's page; interrupt 20h returns at once.
fn machine(program: &[u8], cached: bool) -> (Board, Interpreter) {
    let ram = Ram::new("ram", DEVICE as usize).expect("memory");
    ram.write(0x80, &[0, 0x20, 0, 0]);
    ram.write(0x2000, &[0xCF]);
    ram.write(0x1000, program);
    let mut cpu = Interpreter::new(CpuId(0), CpuModel::P6);
    cpu.set_block_cache(cached);
    let mut s = cpu.state();
    for (seg, selector) in [(Seg::Cs, 0), (Seg::Ds, 0xF000)] {
        s.segments[seg as usize].selector = Selector(selector);
        s.segments[seg as usize].base = u64::from(selector) << 4;
    }
    s.rflags.insert(emu_core::x86::Rflags::IF);
    s.rip = 0x1000;
    s.gpr[Gpr::Rsp as usize] = 0xF000;
    cpu.set_state(&s);
    let board = Board {
        ram: [ram],
        insns: 0,
        stop_at: u64::MAX,
        interrupt_at: u64::MAX,
        accesses: Vec::new(),
        acknowledged: Vec::new(),
    };
    (board, cpu)
}

/// Runs to the HLT, with a stop after `stop` instructions. Gives the board, and the states at the stop and at the end.
fn run(program: &[u8], cached: bool, stop: u64) -> (Board, [CpuState; 2]) {
    let (mut board, mut cpu) = machine(program, cached);
    board.stop_at = stop;
    let mut stopped = cpu.state();
    if cpu.run(&mut board, None) == Exit::SliceEnd {
        assert_eq!(board.insns, stop);
        stopped = cpu.state();
        board.stop_at = u64::MAX;
        assert_eq!(cpu.run(&mut board, None), Exit::Halted);
    }
    let state = cpu.state();
    assert_eq!(state.activity, Activity::Halted);
    (board, [stopped, state])
}

#[test]
fn an_interrupt_is_taken_behind_the_access_that_raised_it_or_as_much_later_as_it_comes() {
    // inc ax; out 0,al; inc ax; inc ax; in al,3; inc ax (5 times); mov [0],al; inc ax; mov al,[2]; inc ax (3 times);
    // mov [0FFh],al; mov al,[0FFh]; out 0FFh,al; inc ax; hlt
    let program = [
        &[
            0x40, 0xE6, 0, 0x40, 0x40, 0xE4, 3, 0x40, 0x40, 0x40, 0x40, 0x40,
        ][..],
        &[0xA2, 0, 0, 0x40, 0xA0, 2, 0, 0x40, 0x40, 0x40],
        &[0xA2, 0xFF, 0, 0xA0, 0xFF, 0, 0xE6, 0xFF, 0x40, 0xF4],
    ]
    .concat();
    // Each interrupt costs its IRET.
    let accesses = [1, 5, 12, 15, 20, 21, 22];
    let acknowledged = [2, 9, 13, 18];
    let (_, [_, reference]) = run(&program, false, u64::MAX);
    for stop in 0..25 {
        let (_, [stopped, _]) = run(&program, false, stop);
        for cached in [false, true] {
            let (board, states) = run(&program, cached, stop);
            assert_eq!(board.accesses, accesses, "stopped at {stop}");
            assert_eq!(board.acknowledged, acknowledged, "stopped at {stop}");
            assert_eq!(board.insns, 25);
            assert_eq!(states, [stopped, reference], "stopped at {stop}");
        }
    }
}

#[test]
fn a_device_access_in_a_loop_counts_each_instruction() {
    // mov cx,200; l: mov [0FFh],al; mov al,[0FFh]; inc dx; out 0FFh,al; loop l; hlt
    let program = [
        0xB9, 200, 0, 0xA2, 0xFF, 0, 0xA0, 0xFF, 0, 0x42, 0xE6, 0xFF, 0xE2, 0xF5, 0xF4,
    ];
    for cached in [false, true] {
        let (board, _) = run(&program, cached, 333);
        let expected: Vec<u64> = (0..200)
            .flat_map(|i| [0, 1, 3].map(|n| 1 + 5 * i + n))
            .collect();
        assert_eq!(board.accesses, expected);
        assert_eq!(board.insns, 1 + 200 * 5 + 1);
    }
}
