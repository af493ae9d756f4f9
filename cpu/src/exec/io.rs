//! IN and OUT, and what INS and OUTS share with them: permission (SDM vol. 1, section 19.5) and the access itself.

use super::operand::As;
use crate::alu::Int;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::tlb::Privilege;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::Width;
use emu_core::probe::{MemoryAccess, Port};
use emu_core::x86::{Cr0, Gpr, IoInstruction, IoKind, SystemType};

/// The I/O map base in a 32-bit TSS, and the least limit of a TSS that has one.
const IO_MAP_BASE: u64 = 0x66;
const IO_MAP_LIMIT_MIN: u32 = 0x67;

/// Where an instruction finds its port.
pub trait PortOperand: 'static {
    /// What this makes of the instruction.
    const KIND: IoKind;
    /// The port.
    fn port(cpu: &Interpreter, op: OpRef) -> u16;
}

/// An immediate byte.
pub struct Immediate;
/// DX.
pub struct Dx;

impl PortOperand for Immediate {
    const KIND: IoKind = IoKind::IMMEDIATE;
    fn port(_: &Interpreter, op: OpRef) -> u16 {
        op.imm as u8 as u16
    }
}
impl PortOperand for Dx {
    const KIND: IoKind = IoKind::empty();
    fn port(cpu: &Interpreter, _: OpRef) -> u16 {
        cpu.regs.named(Gpr::Rdx)
    }
}

/// IN.
pub struct In<T, P>(As<(T, P)>);
/// OUT.
pub struct Out<T, P>(As<(T, P)>);

impl<T: Int, P: PortOperand> Instruction for In<T, P> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let port = P::port(cpu, op);
        cpu.check_io(port, T::WIDTH)?;
        let v = cpu.io_read(port, T::WIDTH);
        cpu.regs.set(0, T::from_u64(v.into()));
        if cpu.stays() {
            return Ok(());
        }
        let kind = P::KIND.union(IoKind::INPUT);
        cpu.smm.io = Some(cpu.io_instruction(op, port, T::WIDTH, kind));
        Err(Stop::Leave)
    }
}

impl<T: Int, P: PortOperand> Instruction for Out<T, P> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let port = P::port(cpu, op);
        cpu.check_io(port, T::WIDTH)?;
        let v: T = cpu.regs.get(0);
        cpu.io_write(port, T::WIDTH, v.to_u64() as u32);
        if cpu.stays() {
            return Ok(());
        }
        cpu.smm.io = Some(cpu.io_instruction(op, port, T::WIDTH, P::KIND));
        Err(Stop::Leave)
    }
}

impl Interpreter {
    /// Whether the program may use a port: by IOPL, or by the permission map of the TSS.
    #[inline]
    pub(crate) fn check_io(&mut self, port: u16, width: Width) -> Result<(), Stop> {
        let free = !self.cr0.contains(Cr0::PE)
            || !self.is_virtual_8086() && self.cpl <= self.rflags.iopl();
        if free {
            return Ok(());
        }
        self.check_io_map(port, width)
    }

    #[inline(never)]
    fn check_io_map(&mut self, port: u16, width: Width) -> Result<(), Stop> {
        let kind = self.tr.attributes.segment_type();
        let tss_32 =
            kind == SystemType::Tss32Busy as u8 || kind == SystemType::Tss32Available as u8;
        self.ensure(tss_32 && self.tr.limit >= IO_MAP_LIMIT_MIN, Fault::GP0)?;
        let (base, limit) = (self.tr.base, u64::from(self.tr.limit));
        let map = self.load_linear(
            self.system_address(base, IO_MAP_BASE),
            Width::Word,
            Privilege::Supervisor,
        )?;
        // Two bytes are always read, so that an access of any width and alignment is covered.
        let at = map + u64::from(port / 8);
        self.ensure(at < limit, Fault::GP0)?;
        let bits = self.load_linear(
            self.system_address(base, at),
            Width::Word,
            Privilege::Supervisor,
        )?;
        let mask = (1 << width.bytes()) - 1;
        self.ensure(bits >> (port % 8) & mask == 0, Fault::GP0)
    }

    /// Reads a port that [`Self::check_io`] allowed.
    pub(crate) fn io_read(&mut self, port: u16, width: Width) -> u32 {
        self.device_access();
        let id = self.id;
        let value = self.bus().port_read(id, port, width);
        self.note_port(MemoryAccess::Read, port, width, value);
        value
    }

    /// Writes a port that [`Self::check_io`] allowed.
    pub(crate) fn io_write(&mut self, port: u16, width: Width, value: u32) {
        self.device_access();
        let id = self.id;
        self.bus().port_write(id, port, width, value);
        self.note_port(MemoryAccess::Write, port, width, value);
    }

    /// The I/O instruction at hand, for an SMI behind it.
    pub(crate) fn io_instruction(
        &self,
        op: OpRef,
        port: u16,
        width: Width,
        kind: IoKind,
    ) -> IoInstruction {
        IoInstruction {
            rip: self.this_rip(op),
            rcx: self.regs.named(Gpr::Rcx),
            rsi: self.regs.named(Gpr::Rsi),
            rdi: self.regs.named(Gpr::Rdi),
            memory: 0,
            port,
            bytes: width.bytes() as u8,
            kind,
        }
    }

    #[inline]
    fn note_port(&mut self, access: MemoryAccess, port: u16, width: Width, value: u32) {
        if self.dr7 & 0xFF != 0 || self.probe().is_some() {
            self.show_port(access, port, width, value);
        }
    }

    #[cold]
    #[inline(never)]
    fn show_port(&mut self, access: MemoryAccess, port: u16, width: Width, value: u32) {
        self.note_io_breakpoint(port, width);
        let seen = Port {
            cpu: self.id,
            access,
            port,
            width,
            value,
        };
        if let Some(probe) = self.probe() {
            probe.port(&seen);
        }
    }
}
