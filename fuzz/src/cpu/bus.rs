//! A bus with RAM, registers that answer anything, and events at exact instruction counts.

use super::tables::PAGE_TABLE;
use crate::hostile;
use emu_core::backend::{Attention, CpuId, Special, SystemBus};
use emu_core::bus::{Gpa, PageView, Width};
use emu_core::ram::{PAGE_BYTES, Ram};
use emu_core::testkit::Rng;
use std::cell::Cell;

pub const RAM_BYTES: usize = 1 << 20;
/// How often a CPU may ask for attention without retiring an instruction.
const IDLE_MAX: u32 = 100_000;

pub struct Bus {
    blocks: Vec<Ram>,
    rng: Rng,
    attention: Attention,
    pub insns: u64,
    pub end: u64,
    next_event: u64,
    /// The CPU is told of no more than a few instructions at a time.
    short: bool,
    idle: Cell<u32>,
}

impl Bus {
    pub fn new(ram: &[u8], steps: u64, seed: u64, short: bool) -> Self {
        let mut rng = Rng::new(seed);
        let next_event = 1 + rng.below(200);
        let ram = Ram::with_contents("ram", ram).expect("memory for the test");
        Self {
            blocks: vec![ram],
            rng,
            attention: Attention::empty(),
            insns: 0,
            end: steps,
            next_event,
            short,
            idle: Cell::new(0),
        }
    }

    fn ram(&self) -> &Ram {
        &self.blocks[0]
    }

    /// All of memory.
    pub fn memory(&self) -> Vec<u8> {
        let mut bytes = vec![0; RAM_BYTES];
        self.ram().read(0, &mut bytes);
        bytes
    }

    fn event(&mut self) {
        let value = self.rng.next_u64();
        self.next_event = self.insns + 1 + (value >> 32) % 300;
        match value & 15 {
            0..4 => self.attention.insert(Attention::INTR),
            4..6 => self.attention.remove(Attention::INTR),
            6 => self.attention.insert(Attention::NMI),
            7 => self.attention.insert(Attention::MAP_CHANGED),
            8 => {
                self.attention.toggle(Attention::A20_MASKED);
                self.attention.insert(Attention::MAP_CHANGED);
            }
            9 => self.attention.toggle(Attention::IGNNE),
            10 if value & 0xF00 == 0 => self.attention.insert(Attention::INIT),
            11 => self.attention.insert(Attention::SMI),
            12..14 => {
                // A device writes over code.
                let mut bytes = [0; 16];
                hostile::fill(&mut bytes, &mut self.rng);
                let at = 0x1_0000 + (value >> 8) as usize % 0x2_0000;
                self.ram().write(at, &bytes);
                self.note_code_writes();
            }
            14 => self.attention.insert(Attention::STOP),
            15 => self.change_page(value >> 8),
            _ => {}
        }
    }

    /// Instructions until the next event.
    fn left(&self) -> u64 {
        self.next_event.min(self.end).saturating_sub(self.insns)
    }

    /// A device changes an entry of the page table.
    fn change_page(&mut self, value: u64) {
        let wide = value & 1 != 0;
        let page = 0x10 + (value >> 1) as usize % 0x40;
        let at = PAGE_TABLE + page * if wide { 8 } else { 4 };
        let mut entry = [0; 4];
        self.ram().read(at, &mut entry);
        let old = u32::from_le_bytes(entry);
        let new = match value >> 16 & 7 {
            0 => old ^ 1,
            1 => old & !0x60,
            2 => old ^ 2,
            3 => old ^ 4,
            4 => old ^ 1 << 12,
            _ => (page as u32) << 12 | 7,
        };
        self.ram().write(at, &new.to_le_bytes());
        self.note_code_writes();
    }

    fn note_code_writes(&mut self) {
        if self.ram().code_was_written() {
            self.attention.insert(Attention::CODE_WRITTEN);
        }
    }

    /// The CPU retires no instruction any more.
    pub fn hangs(&self) -> bool {
        self.idle.get() >= IDLE_MAX
    }

    pub fn end_of_slice(&mut self) {
        self.attention.remove(Attention::STOP);
    }

    /// Wakes a CPU that has halted.
    pub fn wake(&mut self, reset: bool) {
        self.attention.remove(Attention::STOP);
        let how = if reset {
            Attention::RESET
        } else {
            Attention::NMI | Attention::INTR
        };
        self.attention.insert(how);
        // Time passes while the CPU waits.
        let n = self.left().min(10);
        self.advance(n);
    }
}

impl SystemBus for Bus {
    fn attention(&self, _cpu: CpuId) -> Attention {
        self.idle.set(self.idle.get() + 1);
        if self.hangs() {
            return self.attention | Attention::STOP;
        }
        self.attention
    }

    fn accept(&mut self, _cpu: CpuId, bits: Attention) {
        let levels = Attention::INTR | Attention::A20_MASKED | Attention::IGNNE | Attention::STOP;
        self.attention.remove(bits - levels);
    }

    fn advance(&mut self, retired: u64) {
        if retired == 0 {
            return;
        }
        self.idle.set(0);
        self.insns += retired;
        assert!(
            self.insns <= self.next_event && self.insns <= self.end,
            "the CPU ran past its countdown"
        );
        if self.insns == self.next_event {
            self.event();
        }
        if self.insns == self.end {
            self.attention.insert(Attention::STOP);
        }
    }

    fn countdown(&self) -> u64 {
        let left = self.left();
        if self.short {
            left.min(1 + self.insns % 5)
        } else {
            left
        }
    }

    fn insns(&self) -> u64 {
        self.insns
    }

    fn port_read(&mut self, _cpu: CpuId, _port: u16, _width: Width) -> u32 {
        self.rng.next_u64() as u32
    }

    fn port_write(&mut self, _cpu: CpuId, port: u16, _width: Width, value: u32) {
        match port & 0xFF {
            0x92 => {
                self.attention.set(Attention::A20_MASKED, value & 1 != 0);
                self.attention.insert(Attention::MAP_CHANGED);
            }
            0x20 => self.attention.remove(Attention::INTR),
            _ => {}
        }
    }

    fn mmio_read(&mut self, _cpu: CpuId, gpa: Gpa, _smm: bool, width: Width) -> u64 {
        gpa.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) & width.mask()
    }

    fn mmio_write(&mut self, _cpu: CpuId, _gpa: Gpa, _smm: bool, _width: Width, _value: u64) {}

    fn page(&self, gpa: Gpa, _smm: bool) -> PageView {
        let start = (gpa.0 & !(PAGE_BYTES as u64 - 1)) as usize;
        // One page is no RAM, and one is read-only.
        if gpa.0 >= RAM_BYTES as u64 || start == 0x7_0000 {
            return PageView::default();
        }
        let whole = Some((self.ram().clone(), start));
        PageView {
            read: whole.clone(),
            write: if start == 0x7_1000 { None } else { whole },
        }
    }

    fn acknowledge(&mut self, _cpu: CpuId) -> Option<u8> {
        let value = self.rng.next_u64();
        // Nobody answers only if INTR fell in the meantime.
        let answer = (value & 6 != 0).then_some((value >> 8) as u8);
        if answer.is_none() || value & 1 == 0 {
            self.attention.remove(Attention::INTR);
        }
        answer
    }

    fn special_cycle(&mut self, _cpu: CpuId, _cycle: Special) {}

    fn blocks(&self) -> &[Ram] {
        &self.blocks
    }
}
