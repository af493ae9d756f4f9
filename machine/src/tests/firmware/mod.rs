//! Our firmware on the emulated CPU: each test powers a PC on, lets POST run to its end, and then calls the firmware's
//! services as a program does, with nothing between the caller and the interrupt.

mod disk;
mod input;
mod protected;
mod smm;
mod system;
mod video;

use crate::boards::{Hosts, build};
use crate::spec::MachineSpec;
use crate::{Machine, Stop, Until};
use emu_core::VirtTime;
use emu_core::backend::Invalidate;
use emu_core::host::{HostEvent, KeyCode};
use emu_core::ram::Ram;
use emu_core::x86::{
    Activity, Cr0, Gpr, Rflags, Seg, SegmentAttributes, SegmentRegister, Selector,
};

/// The debug-exit port through which a call comes back.
const EXIT_PORT: u8 = 0xF4;
/// Where the calling instructions stand: `INT n; OUT F4h, AL`.
const CODE: u32 = 0x600;
/// The caller's stack.
const STACK: u32 = 0x7A00;
/// A place for buffers of the tests, 64 KiB.
const BUFFER: u32 = 0x2_0000;
const BUFFER_SEGMENT: u16 = 0x2000;
/// More than any service needs.
const CALL_LIMIT_NS: u64 = 60_000_000_000;

/// What a caller passes and gets back.
#[derive(Copy, Clone, Default, Debug)]
struct Regs {
    eax: u32,
    ebx: u32,
    ecx: u32,
    edx: u32,
    esi: u32,
    edi: u32,
    ebp: u32,
    ds: u16,
    es: u16,
    carry: bool,
    zero: bool,
}

impl Regs {
    fn ax(value: u16) -> Self {
        Self {
            eax: value.into(),
            ..Self::default()
        }
    }
    fn bx(self, value: u16) -> Self {
        Self {
            ebx: value.into(),
            ..self
        }
    }
    fn cx(self, value: u16) -> Self {
        Self {
            ecx: value.into(),
            ..self
        }
    }
    fn dx(self, value: u16) -> Self {
        Self {
            edx: value.into(),
            ..self
        }
    }
    fn si(self, value: u16) -> Self {
        Self {
            esi: value.into(),
            ..self
        }
    }
    fn di(self, value: u16) -> Self {
        Self {
            edi: value.into(),
            ..self
        }
    }
    fn ds(self, ds: u16) -> Self {
        Self { ds, ..self }
    }
    fn es(self, es: u16) -> Self {
        Self { es, ..self }
    }
    fn ah(&self) -> u8 {
        (self.eax >> 8) as u8
    }
    fn al(&self) -> u8 {
        self.eax as u8
    }
    fn word(&self) -> [u16; 4] {
        [self.eax, self.ebx, self.ecx, self.edx].map(|r| r as u16)
    }
}

/// A PC after its power-on self-test.
struct Pc {
    machine: Machine,
    dram: Ram,
}

impl Pc {
    /// A PC with nothing to boot from, when it says so.
    fn new() -> Self {
        Self::with(MachineSpec::default())
    }

    fn with(spec: MachineSpec) -> Self {
        let mut pc = Self::powered_on(spec);
        pc.run_until_screen_shows("No bootable device");
        pc
    }

    fn powered_on(spec: MachineSpec) -> Self {
        let spec = MachineSpec {
            debug_exit: Some(EXIT_PORT.into()),
            memory_bytes: 32 << 20,
            ..spec
        };
        let machine = build(&spec, Hosts::default()).unwrap();
        let dram = machine.board.blocks.iter().find(|b| b.name() == "dram");
        let dram = dram.unwrap().clone();
        Self { machine, dram }
    }

    fn run_ns(&mut self, ns: u64) -> Stop {
        let until = Until::time(self.machine.now().plus_ns(ns));
        self.machine.run(until, None)
    }

    fn screen(&mut self) -> String {
        let screen = self.machine.screen_text().expect("a text mode");
        let text = |row: &[emu_core::cap::TextCell]| -> String {
            row.iter().map(|c| char::from(c.character)).collect()
        };
        let rows: Vec<_> = screen.cells.chunks(screen.columns).map(text).collect();
        rows.join("\n")
    }

    fn run_until_screen_shows(&mut self, text: &str) {
        let limit = self.machine.now().plus_ns(30_000_000_000);
        while self.machine.now() < limit {
            if self.machine.screen_text().is_some() && self.screen().contains(text) {
                return;
            }
            self.run_ns(100_000_000);
        }
        panic!("{text:?} does not appear:\n{}", self.screen());
    }

    fn poke(&mut self, at: u32, bytes: &[u8]) {
        self.dram.write(at as usize, bytes);
        self.machine.cpu.invalidate(Invalidate::All);
    }
    fn peek(&self, at: u32, bytes: usize) -> Vec<u8> {
        let mut buffer = vec![0; bytes];
        self.machine
            .board
            .peek(emu_core::Gpa(at.into()), &mut buffer);
        buffer
    }
    fn peek_u8(&self, at: u32) -> u8 {
        self.peek(at, 1)[0]
    }
    fn peek_u16(&self, at: u32) -> u16 {
        let b = self.peek(at, 2);
        u16::from_le_bytes([b[0], b[1]])
    }
    fn peek_u32(&self, at: u32) -> u32 {
        let b = self.peek(at, 4);
        u32::from_le_bytes([b[0], b[1], b[2], b[3]])
    }

    /// Puts registers in place and the CPU at 0000:0600 in real mode, interrupts on.
    fn take_over(&mut self, regs: &Regs) {
        let mut s = self.machine.cpu.state();
        let attributes = SegmentAttributes::from_bits_retain(0x93) | SegmentAttributes::USABLE;
        let segment = |selector: u16| SegmentRegister {
            selector: Selector(selector),
            base: u64::from(selector) << 4,
            limit: 0xFFFF,
            attributes,
        };
        s.segments = [segment(0); 6];
        s.segments[Seg::Ds as usize] = segment(regs.ds);
        s.segments[Seg::Es as usize] = segment(regs.es);
        s.segments[Seg::Cs as usize].attributes |= SegmentAttributes::CODE;
        s.cr0 -= Cr0::PE;
        s.idtr.base = 0;
        s.idtr.limit = 0x3FF;
        let gpr = [
            regs.eax, regs.ecx, regs.edx, regs.ebx, STACK, regs.ebp, regs.esi, regs.edi,
        ];
        s.gpr[..8].copy_from_slice(&gpr.map(u64::from));
        s.rip = CODE.into();
        s.rflags = Rflags::from_bits_retain(0x0202);
        s.activity = Activity::Running;
        s.sti_shadow = false;
        s.mov_ss_shadow = false;
        self.machine.cpu.set_state(&s);
    }

    /// Runs until the debug-exit port is written, and gives the registers of that moment.
    fn run_to_exit(&mut self) -> Regs {
        self.machine.board.outcome = Default::default();
        let stop = self.run_ns(CALL_LIMIT_NS);
        assert!(
            matches!(stop, Stop::Exit(_)),
            "{stop:?}\n{:?}",
            self.machine.cpu.state()
        );
        self.machine.board.outcome = Default::default();
        self.regs()
    }

    fn regs(&self) -> Regs {
        let s = self.machine.cpu.state();
        let r = |gpr: Gpr| s.gpr[gpr as usize] as u32;
        let selector = |seg: Seg| s.segments[seg as usize].selector.0;
        Regs {
            eax: r(Gpr::Rax),
            ebx: r(Gpr::Rbx),
            ecx: r(Gpr::Rcx),
            edx: r(Gpr::Rdx),
            esi: r(Gpr::Rsi),
            edi: r(Gpr::Rdi),
            ebp: r(Gpr::Rbp),
            ds: selector(Seg::Ds),
            es: selector(Seg::Es),
            carry: s.rflags.contains(Rflags::CF),
            zero: s.rflags.contains(Rflags::ZF),
        }
    }

    /// Prepares `INT n` with these registers, without running it.
    fn prepare(&mut self, n: u8, regs: Regs) {
        self.poke(CODE, &[0xCD, n, 0xE6, EXIT_PORT, 0xEB, 0xFE]);
        self.take_over(&regs);
    }

    /// `INT n`. The stack must come back as it was.
    fn int(&mut self, n: u8, regs: Regs) -> Regs {
        self.prepare(n, regs);
        let out = self.run_to_exit();
        let s = self.machine.cpu.state();
        assert_eq!(
            s.gpr[Gpr::Rsp as usize],
            u64::from(STACK),
            "stack after INT {n:02X}h"
        );
        assert_eq!(s.rip, u64::from(CODE) + 4, "came back to the caller");
        out
    }

    /// Bytes of code at 0000:0600 that end with the write to the debug-exit port.
    fn code(&mut self, code: &[u8], regs: Regs) -> Regs {
        let mut bytes = code.to_vec();
        bytes.extend([0xE6, EXIT_PORT, 0xEB, 0xFE]);
        self.poke(CODE, &bytes);
        self.take_over(&regs);
        self.run_to_exit()
    }

    fn outb(&mut self, port: u16, value: u8) {
        // OUT DX, AL
        self.code(&[0xEE], Regs::ax(value.into()).dx(port));
    }
    fn inb(&mut self, port: u16) -> u8 {
        // IN AL, DX
        self.code(&[0xEC], Regs::default().dx(port)).al()
    }

    fn key(&mut self, usage: u8, pressed: bool) {
        let key = KeyCode(usage);
        self.machine.input(HostEvent::Key { key, pressed });
    }
    /// Presses and releases a key; some time passes in the guest.
    fn strike(&mut self, usage: u8) {
        for pressed in [true, false] {
            self.key(usage, pressed);
            self.pass_ms(20);
        }
    }
    /// The guest waits, with interrupts.
    fn pass_ms(&mut self, ms: u64) {
        self.poke(CODE, &[0xF4, 0xEB, 0xFD]);
        self.take_over(&Regs::default());
        self.run_ns(ms * 1_000_000);
    }
    fn now(&self) -> VirtTime {
        self.machine.now()
    }
}

/// A file for a disk image that goes away with the test.
struct Image(std::path::PathBuf);

impl Image {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("boxwood-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
    fn medium(&self) -> crate::spec::MediumSource {
        crate::spec::MediumSource::File {
            path: self.0.clone(),
            read_only: false,
            snapshot: true,
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
