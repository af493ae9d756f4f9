//! System instructions that came with long mode or after it: SYSCALL, SYSRET, SWAPGS, RDFSBASE and its kin, RDTSCP,
//! INVPCID, CLAC, STAC, RDPKRU, WRPKRU, and the task priority in CR8.
//!
//! **Known inaccuracies**: a base or entry point that an instruction loads (WRMSR, WRGSBASE, LGDT, LLDT, LTR, INVPCID)
//! must be canonical for the paging of the moment; a processor with 5-level paging lets 57 bits pass even while 4 levels
//! are in use, and checks them when they form an address.

use super::operand::As;
use crate::alu::Int;
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::backend::LapicRegister;
use emu_core::x86::{Cr4, Dr6, Efer, Gpr, Rflags, Seg};

/// SYSCALL.
pub struct Syscall;
/// SYSRET; `LONG`: with a 64-bit operand size.
pub struct Sysret<const LONG: bool>;
/// SYSCALL outside of 64-bit mode, on AMD's processors.
pub struct SyscallLegacy;
/// SYSRET outside of 64-bit mode, on AMD's processors.
pub struct SysretLegacy;
/// An instruction that is undefined in long mode on AMD's processors.
pub struct OutsideLongMode<I, const PRIVILEGED: bool>(As<I>);
/// SWAPGS.
pub struct Swapgs;
/// RDFSBASE, RDGSBASE: register `a`, segment `b`.
pub struct ReadBase<T>(As<T>);
/// WRFSBASE, WRGSBASE: register `a`, segment `b`.
pub struct WriteBase<T>(As<T>);
/// RDTSCP.
pub struct Rdtscp;
/// INVPCID: the type is in register `a`, the descriptor in memory.
pub struct Invpcid;
/// CLAC and STAC.
pub struct SetAc<const ON: bool>;
/// RDPKRU.
pub struct Rdpkru;
/// WRPKRU.
pub struct Wrpkru;

/// The flags that SYSRET loads from R11 (SDM vol. 2, "SYSRET").
const SYSRET_FLAGS: u64 = 0x3C_7FD7;

impl Interpreter {
    /// The task priority as CR8 holds it: the local APIC's, or the CPU's own where there is none.
    pub(crate) fn task_priority(&mut self) -> u64 {
        self.device_access();
        let id = self.id;
        let apic = self.bus().lapic_read(id, LapicRegister::Cr8);
        apic.unwrap_or(self.cr8)
    }

    /// MOV CR8.
    pub(crate) fn set_task_priority(&mut self, v: u64) -> Result<(), Stop> {
        self.ensure(v <= 0xF, Fault::GP0)?;
        self.device_access();
        let id = self.id;
        if !self.bus().lapic_write(id, LapicRegister::Cr8, v) {
            self.cr8 = v;
        }
        Ok(())
    }

    /// Replaces the base of a segment register, FS or GS.
    pub(crate) fn set_segment_base(&mut self, seg: Seg, base: u64) {
        let s = &mut self.segments[seg as usize];
        (s.reg.base, s.base) = (base, base);
    }

    /// Replaces PKRU.
    pub(crate) fn set_pkru(&mut self, v: u32) {
        if self.pkru != v {
            self.pkru = v;
            // Rights of keys stand in the TLB as rights of pages; instruction fetches heed none.
            self.tlb.flush_data();
        }
    }

    /// #UD outside of 64-bit mode.
    fn require_64_bit(&mut self) -> Result<(), Stop> {
        let ok = self.is_64_bit();
        self.ensure(ok, Fault::UD)
    }
}

impl Instruction for Syscall {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.require_64_bit()?;
        let enabled = cpu.efer.contains(Efer::SCE);
        cpu.ensure(enabled, Fault::UD)?;
        let next = cpu.next_rip(op);
        Err(cpu.system_call(next, cpu.msr.lstar))
    }
}

impl Interpreter {
    /// SYSCALL in long mode.
    fn system_call(&mut self, next: u64, entry: u64) -> Stop {
        let flags = self.rflags().bits();
        self.regs.set_named(Gpr::Rcx, next);
        self.regs.set_named(Gpr::R11, flags & !Rflags::RF.bits());
        let kept = !(self.msr.fmask | Rflags::RF.bits());
        let flags = Rflags::from_bits_retain(flags & kept) | Rflags::ONE;
        self.put_rflags(flags);
        let selector = (self.msr.star >> 32) as u16;
        self.enter_flat(selector & 0xFFFC, selector.wrapping_add(8), 0, true);
        self.rip = entry;
        // The single-step trap behind it looks at the new TF.
        self.attached.steps_by_new_flags = true;
        Stop::Branch
    }
}

// AMD64 Architecture Programmer's Manual (24594), volume 3, "SYSCALL": compatibility mode goes to CSTAR in 64-bit mode;
// legacy mode goes to STAR's lower half and keeps no flags.
impl Instruction for SyscallLegacy {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let enabled = cpu.efer.contains(Efer::SCE);
        cpu.ensure(enabled, Fault::UD)?;
        let next = cpu.next_rip(op);
        if cpu.is_long() {
            return Err(cpu.system_call(next, cpu.msr.cstar));
        }
        cpu.regs.set_named(Gpr::Rcx, next as u32);
        cpu.rflags.remove(Rflags::VM | Rflags::IF | Rflags::RF);
        let selector = (cpu.msr.star >> 32) as u16;
        cpu.enter_flat(selector & 0xFFFC, selector.wrapping_add(8), 0, false);
        cpu.rip = cpu.msr.star & u64::from(u32::MAX);
        Err(Stop::Branch)
    }
}

// The same, "SYSRET": the flags stay, IF is set.
impl Instruction for SysretLegacy {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let enabled = cpu.efer.contains(Efer::SCE);
        cpu.ensure(enabled, Fault::UD)?;
        let protected = cpu.is_protected();
        cpu.ensure(protected, Fault::GP0)?;
        cpu.require_cpl_0()?;
        let rip = cpu.regs.named::<u32>(Gpr::Rcx).into();
        let selector = (cpu.msr.star >> 48) as u16;
        cpu.enter_flat(selector | 3, selector.wrapping_add(8) | 3, 3, false);
        let closed = !cpu.rflags.contains(Rflags::IF);
        cpu.rflags.insert(Rflags::IF);
        cpu.poll_if_opened(closed);
        cpu.rip = rip;
        Err(Stop::Branch)
    }
}

impl<const LONG: bool> Instruction for Sysret<LONG> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_64_bit()?;
        let enabled = cpu.efer.contains(Efer::SCE);
        cpu.ensure(enabled, Fault::UD)?;
        cpu.require_cpl_0()?;
        let rip = if LONG {
            let rip = cpu.regs.named(Gpr::Rcx);
            let canonical = cpu.is_canonical(rip);
            cpu.ensure(canonical, Fault::GP0)?;
            rip
        } else {
            cpu.regs.named::<u32>(Gpr::Rcx).into()
        };
        let flags = cpu.regs.named::<u64>(Gpr::R11) & SYSRET_FLAGS & cpu.model.flags_writable;
        let selector = (cpu.msr.star >> 48) as u16;
        let cs = if LONG {
            selector.wrapping_add(16)
        } else {
            selector
        };
        let closed = !cpu.rflags.contains(Rflags::IF);
        cpu.put_rflags(Rflags::from_bits_retain(flags) | Rflags::ONE);
        cpu.poll_if_opened(closed);
        cpu.enter_flat(cs | 3, selector.wrapping_add(8) | 3, 3, LONG);
        cpu.rip = rip;
        // Like SYSCALL, and unlike IRET and POPF, which give the next instruction its chance.
        cpu.attached.steps_by_new_flags = true;
        if cpu.rflags.contains(Rflags::TF) {
            cpu.pending_debug |= Dr6::BS.bits();
        }
        Err(Stop::Branch)
    }
}

impl<I: Instruction, const PRIVILEGED: bool> Instruction for OutsideLongMode<I, PRIVILEGED> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        if PRIVILEGED {
            cpu.require_cpl_0()?;
        }
        let legacy = !cpu.is_long();
        cpu.ensure(legacy, Fault::UD)?;
        I::execute(cpu, op)
    }
}

impl Instruction for Swapgs {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_64_bit()?;
        cpu.require_cpl_0()?;
        let old = cpu.segment(Seg::Gs).base;
        let new = std::mem::replace(&mut cpu.msr.kernel_gs_base, old);
        cpu.set_segment_base(Seg::Gs, new);
        Ok(())
    }
}

fn based(n: u8) -> Seg {
    if n == Seg::Fs as u8 { Seg::Fs } else { Seg::Gs }
}

impl<T: Int> Instruction for ReadBase<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let enabled = cpu.cr4.contains(Cr4::FSGSBASE);
        cpu.ensure(enabled, Fault::UD)?;
        let base = cpu.segment(based(op.b)).base;
        cpu.regs.set(op.a, T::from_u64(base));
        Ok(())
    }
}

impl<T: Int> Instruction for WriteBase<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let enabled = cpu.cr4.contains(Cr4::FSGSBASE);
        cpu.ensure(enabled, Fault::UD)?;
        let base = cpu.regs.get::<T>(op.a).to_u64();
        let canonical = cpu.is_canonical(base);
        cpu.ensure(canonical, Fault::GP0)?;
        cpu.set_segment_base(based(op.b), base);
        Ok(())
    }
}

impl Instruction for Rdtscp {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        super::system::Rdtsc::execute(cpu, op)?;
        let aux = cpu.msr.tsc_aux as u32;
        cpu.regs.set_named(Gpr::Rcx, aux);
        Ok(())
    }
}

impl Instruction for Invpcid {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let virtual_8086 = cpu.is_virtual_8086();
        cpu.ensure(!virtual_8086, Fault::GP0)?;
        cpu.require_cpl_0()?;
        let kind = cpu.regs.whole(op.a) & cpu.linear_mask;
        let low: u64 = cpu.load_part(op, 0)?;
        let linear: u64 = cpu.load_part(op, 8)?;
        cpu.ensure(kind <= 3, Fault::GP0)?;
        let context = low & 0xFFF;
        let known = kind > 1 || cpu.cr4.contains(Cr4::PCIDE) || context == 0;
        let canonical = kind != 0 || cpu.is_canonical(linear);
        cpu.ensure(low >> 12 == 0 && known && canonical, Fault::GP0)?;
        match kind {
            // Other contexts' translations are not kept, but the page may be a global one of all.
            0 => {
                cpu.invalidate_page(linear);
            }
            2 => cpu.flush_tlb(false),
            _ => cpu.flush_tlb(true),
        }
        cpu.rip = cpu.next_rip(op);
        Err(Stop::Branch)
    }
}

impl<const ON: bool> Instruction for SetAc<ON> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let ok = cpu.cpl == 0 && !cpu.is_virtual_8086();
        cpu.ensure(ok, Fault::UD)?;
        cpu.rflags.set(Rflags::AC, ON);
        cpu.update_mode();
        Ok(())
    }
}

impl Instruction for Rdpkru {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let enabled = cpu.cr4.contains(Cr4::PKE);
        cpu.ensure(enabled, Fault::UD)?;
        let clear = cpu.regs.named::<u32>(Gpr::Rcx) == 0;
        cpu.ensure(clear, Fault::GP0)?;
        cpu.regs.set_named(Gpr::Rax, cpu.pkru);
        cpu.regs.set_named(Gpr::Rdx, 0u32);
        Ok(())
    }
}

impl Instruction for Wrpkru {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let enabled = cpu.cr4.contains(Cr4::PKE);
        cpu.ensure(enabled, Fault::UD)?;
        let clear = cpu.regs.named::<u32>(Gpr::Rcx) == 0 && cpu.regs.named::<u32>(Gpr::Rdx) == 0;
        cpu.ensure(clear, Fault::GP0)?;
        let v = cpu.regs.named(Gpr::Rax);
        cpu.set_pkru(v);
        Ok(())
    }
}
