//! Control and debug registers, the flags register as a whole, IF, HLT, software interrupts, SYSENTER, the time-stamp counter.

use super::desc::{Stored, Taken};
use super::operand::As;
use crate::alu::Int;
use crate::context::Context;
use crate::event::fault::DR7_GD;
use crate::event::interrupt::Origin;
use crate::fault::Fault;
use crate::interpreter::{Interpreter, mode};
use crate::mem::address::{self, Address, Segmented};
use crate::op::{Instruction, OpRef, Stop};
use emu_core::backend::Special;
use emu_core::x86::{
    Activity, Cr0, Cr4, Dr6, Efer, Exception, Gpr, Rflags, Seg, SegmentAttributes as A,
    SegmentRegister, Selector,
};

/// Writable bits of DR6; the others read as 1, but bit 12 (SDM vol. 3, section 18.2.3).
pub const DR6_WRITABLE: u64 = 0xE00F;
/// Bits of DR6 that read as 1.
pub const DR6_ONES: u64 = 0xFFFF_0FF0;
/// Bits 11, 12, 14 and 15 of DR7 read as 0, bit 10 as 1 (SDM vol. 3, figure 18-1).
pub const DR7_WRITABLE: u64 = 0xFFFF_23FF;
/// Bits of DR7 that read as 1.
pub const DR7_ONES: u64 = 0x400;

/// MOV r32, CRn: register `a`, control register `b`.
pub struct FromControl;
/// MOV CRn, r32: register `a`, control register `b`.
pub struct ToControl;
/// MOV r32, DRn: register `a`, debug register `b`.
pub struct FromDebug;
/// MOV DRn, r32: register `a`, debug register `b`.
pub struct ToDebug;
/// SMSW.
pub struct Smsw;
/// LMSW.
pub struct Lmsw;
/// CLTS.
pub struct Clts;
/// INVLPG.
pub struct Invlpg;
/// INVD and WBINVD: there are no caches that could hold something else than memory.
pub struct WriteBack;
/// HLT.
pub struct Hlt;
/// RDTSC.
pub struct Rdtsc;
/// SYSENTER.
pub struct Sysenter;
/// SYSEXIT; `LONG`: with a 64-bit operand size.
pub struct Sysexit<const LONG: bool>;
/// STI.
pub struct Sti;
/// CLI.
pub struct Cli;
/// PUSHF.
pub struct Pushf<T>(As<T>);
/// POPF.
pub struct Popf<T>(As<T>);
/// INT n: the immediate.
pub struct Int_;
/// INT3.
pub struct Int3;
/// INT1 (ICEBP).
pub struct Int1;
/// INTO.
pub struct Into_;
/// BOUND: register `a` against the pair in memory.
pub struct Bound<T>(As<T>);

impl Instruction for FromControl {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        let v = match op.b {
            0 => cpu.cr0.bits(),
            2 => cpu.cr2,
            3 => cpu.cr3,
            4 => cpu.cr4.bits(),
            8 => cpu.task_priority(),
            _ => return Err(cpu.fault(Fault::UD)),
        };
        cpu.regs.set(op.a, v & cpu.linear_mask);
        Ok(())
    }
}

impl Instruction for ToControl {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        let v = cpu.regs.whole(op.a) & cpu.linear_mask;
        match op.b {
            0 => cpu.write_cr0(v)?,
            2 => cpu.cr2 = v,
            3 => cpu.write_cr3(v)?,
            4 => cpu.write_cr4(v)?,
            8 => cpu.set_task_priority(v)?,
            _ => return Err(cpu.fault(Fault::UD)),
        }
        Err(Stop::Leave)
    }
}

impl Interpreter {
    /// MOV CR0. Reserved bits are ignored, ET stays 1 from the 80486 on (SDM vol. 2, "MOV - Move to/from Control Registers").
    /// Setting PG with IA32_EFER.LME enters IA-32e mode, clearing it leaves it (SDM vol. 3, section 10.8.5).
    pub(crate) fn write_cr0(&mut self, v: u64) -> Result<(), Stop> {
        self.ensure(v >> 32 == 0, Fault::GP0)?;
        let new = Cr0::from_bits_retain(v & self.model.cr0 | self.model.cr0_fixed);
        let old = self.cr0;
        let bad = new.contains(Cr0::PG) && !new.contains(Cr0::PE)
            || new.contains(Cr0::NW) && !new.contains(Cr0::CD);
        self.ensure(!bad, Fault::GP0)?;
        let changed = old ^ new;
        let paging = new.contains(Cr0::PG);
        if changed.contains(Cr0::PG) && paging && self.efer.contains(Efer::LME) {
            let code = self.segment(Seg::Cs).attributes;
            let tss_16 = matches!(self.tr.attributes.segment_type(), 1 | 3);
            let ok = self.cr4.contains(Cr4::PAE) && !code.contains(A::LONG) && !tss_16;
            self.ensure(ok, Fault::GP0)?;
            self.efer.insert(Efer::LMA);
            self.set_cr0(new);
            return Ok(());
        }
        if changed.contains(Cr0::PG) && !paging {
            let stays = self.is_64_bit() || self.cr4.contains(Cr4::PCIDE);
            self.ensure(!stays, Fault::GP0)?;
            self.efer.remove(Efer::LMA);
        }
        let reloads = changed.intersects(Cr0::PG | Cr0::CD | Cr0::NW);
        if reloads && paging && self.cr4.contains(Cr4::PAE) && !self.is_long() {
            self.load_pdptes(self.cr3)?;
        }
        self.set_cr0(new);
        Ok(())
    }

    /// Replaces CR0 and derives what depends on it.
    fn set_cr0(&mut self, new: Cr0) {
        let changed = self.cr0 ^ new;
        self.cr0 = new;
        self.settle_simd();
        self.trigger_monitor();
        if changed.contains(Cr0::PE) {
            self.update_segments();
        } else {
            self.update_mode();
        }
        // PE changes only where there is no paging before or after, or together with PG (SDM vol. 3, section 4.10.4.1 names
        // PG alone). Without paging linear addresses are physical ones and everybody may access everything.
        if changed.intersects(Cr0::PG | Cr0::WP) {
            self.flush_tlb(false);
        }
    }

    /// MOV CR3. With PCIDE bit 63 allows translations to be kept, which it does not make anybody do.
    fn write_cr3(&mut self, v: u64) -> Result<(), Stop> {
        let v = if self.cr4.contains(Cr4::PCIDE) {
            v & !(1 << 63)
        } else {
            v
        };
        if self.is_long() {
            self.ensure(v >> self.model.physical_bits == 0, Fault::GP0)?;
        } else if self.cr0.contains(Cr0::PG) && self.cr4.contains(Cr4::PAE) {
            self.load_pdptes(v)?;
        }
        self.cr3 = v;
        self.trigger_monitor();
        self.flush_tlb(true);
        Ok(())
    }

    fn write_cr4(&mut self, v: u64) -> Result<(), Stop> {
        self.ensure(v & !self.model.cr4 == 0, Fault::GP0)?;
        let new = Cr4::from_bits_retain(v);
        let changed = self.cr4 ^ new;
        if self.is_long() {
            // SDM vol. 2, "MOV - Move to/from Control Registers".
            let ok = new.contains(Cr4::PAE) && !changed.contains(Cr4::LA57);
            self.ensure(ok, Fault::GP0)?;
        }
        if changed.contains(Cr4::PCIDE) && new.contains(Cr4::PCIDE) {
            let ok = self.is_long() && self.cr3 & 0xFFF == 0;
            self.ensure(ok, Fault::GP0)?;
        }
        let tables = changed.intersects(Cr4::PAE | Cr4::PGE | Cr4::PSE | Cr4::SMEP);
        let pae = self.cr0.contains(Cr0::PG) && new.contains(Cr4::PAE) && !self.is_long();
        if tables && pae {
            self.load_pdptes(self.cr3)?;
        }
        self.cr4 = new;
        self.settle_simd();
        self.trigger_monitor();
        if tables || changed.intersects(Cr4::SMAP | Cr4::PKE | Cr4::PCIDE | Cr4::LA57) {
            self.flush_tlb(false);
        }
        self.update_mode();
        Ok(())
    }

    /// The checks of MOV to and from debug registers, and the register that is meant.
    fn debug_register(&mut self, n: u8) -> Result<u8, Stop> {
        self.require_cpl_0()?;
        let n = match n {
            // Processors check the level first, whatever SDM vol. 3, table 6-2, has of undefined opcodes.
            4 | 5 if self.cr4.contains(Cr4::DE) => return Err(self.fault(Fault::UD)),
            4 | 5 => n + 2,
            _ => n & 7,
        };
        if self.dr7 & DR7_GD != 0 {
            self.dr6 |= Dr6::BD.bits();
            return Err(self.fault(Fault::of(Exception::Debug)));
        }
        Ok(n)
    }

    /// Whether PUSHF, POPF, CLI and STI work on VIF: virtual-8086 mode with VME and IOPL below 3.
    fn uses_vif_in_virtual_8086(&self) -> bool {
        self.is_virtual_8086() && self.cr4.contains(Cr4::VME) && self.rflags.iopl() < 3
    }

    /// Whether CLI and STI work on VIF: as above, or CPL 3 with PVI and IOPL below 3.
    fn uses_vif(&self) -> bool {
        let pvi = self.is_protected() && self.cpl == 3 && self.cr4.contains(Cr4::PVI);
        self.uses_vif_in_virtual_8086() || pvi && self.rflags.iopl() < 3
    }

    /// Whether IF may be changed (real mode: always).
    fn may_change_if(&self) -> bool {
        self.cpl <= self.rflags.iopl()
    }

    /// Flat segments for SYSENTER, SYSCALL and the ways back (SDM vol. 2); `long`: of 64-bit mode.
    pub(crate) fn enter_flat(&mut self, cs: u16, ss: u16, dpl: u8, long: bool) {
        let rights = (A::PRESENT | A::NON_SYSTEM | A::WRITABLE | A::ACCESSED)
            | (A::BIG | A::GRANULAR | A::USABLE);
        let rights = rights.with_dpl(dpl);
        let flat = |selector: u16, attributes: A| SegmentRegister {
            selector: Selector(selector),
            base: 0,
            limit: u32::MAX,
            attributes,
        };
        let code = if long {
            (rights - A::BIG) | A::LONG
        } else {
            rights
        };
        self.put_segment(Seg::Cs, flat(cs, code | A::CODE));
        self.put_segment(Seg::Ss, flat(ss, rights));
        self.trigger_monitor();
        self.update_mode();
    }
}

impl Instruction for FromDebug {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let v = match cpu.debug_register(op.b)? {
            6 => cpu.dr6,
            7 => cpu.dr7,
            n => cpu.dr[usize::from(n & 3)],
        };
        cpu.regs.set(op.a, v & cpu.linear_mask);
        Ok(())
    }
}

impl Instruction for ToDebug {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let n = cpu.debug_register(op.b)?;
        let v = cpu.regs.whole(op.a) & cpu.linear_mask;
        cpu.ensure(n < 6 || v >> 32 == 0, Fault::GP0)?;
        match n {
            6 => cpu.dr6 = v & DR6_WRITABLE | DR6_ONES,
            7 => cpu.dr7 = v & DR7_WRITABLE | DR7_ONES,
            n => cpu.dr[usize::from(n & 3)] = v,
        }
        if n != 6 {
            cpu.breakpoints_changed();
        }
        Err(Stop::Leave)
    }
}

impl Stored for Smsw {
    fn value(cpu: &mut Interpreter, _: OpRef) -> Result<u64, Stop> {
        cpu.require_visible_tables()?;
        Ok(cpu.cr0.bits())
    }
}

impl Taken for Lmsw {
    fn check(cpu: &mut Interpreter) -> Result<(), Stop> {
        cpu.require_cpl_0()
    }
    /// PE, MP, EM and TS; PE can be set but not cleared.
    fn take(cpu: &mut Interpreter, _: OpRef, v: u16) -> Result<(), Stop> {
        let low = Cr0::PE | Cr0::MP | Cr0::EM | Cr0::TS;
        let pe = cpu.cr0 & Cr0::PE;
        let new = (cpu.cr0 - low) | (Cr0::from_bits_retain(v.into()) & low) | pe;
        cpu.set_cr0(new);
        Err(Stop::Leave)
    }
}

impl Instruction for Clts {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        cpu.cr0.remove(Cr0::TS);
        cpu.settle_simd();
        Ok(())
    }
}

impl Instruction for Invlpg {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        let base = cpu.segments[address::segment(&op) % 6].base;
        let linear = base.wrapping_add(Segmented::offset(cpu, op)) & cpu.linear_mask;
        // An address that is not canonical does nothing (SDM vol. 2, "INVLPG").
        let mut code = false;
        if !cpu.is_64_bit() || cpu.is_canonical(linear) {
            code = cpu.invalidate_page(linear);
        }
        // Where there is a prefetch queue it is flushed.
        if !code && cpu.model.prefetch_bytes == 0 {
            return Ok(());
        }
        cpu.rip = cpu.next_rip(op);
        Err(Stop::Branch)
    }
}

impl Instruction for WriteBack {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()
    }
}

impl Instruction for Hlt {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        cpu.require_cpl_0()?;
        cpu.device_access();
        cpu.activity = Activity::Halted;
        let id = cpu.id;
        cpu.bus().special_cycle(id, Special::Halt);
        Err(Stop::Leave)
    }
}

impl Instruction for Rdtsc {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        if cpu.cr4.contains(Cr4::TSD) {
            cpu.require_cpl_0()?;
        }
        let tsc = cpu.time_stamp();
        cpu.regs.set_named(Gpr::Rax, tsc as u32);
        cpu.regs.set_named(Gpr::Rdx, (tsc >> 32) as u32);
        Ok(())
    }
}

impl Instruction for Sysenter {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let cs = cpu.msr.sysenter_cs as u16 & 0xFFFC;
        cpu.ensure(cpu.cr0.contains(Cr0::PE) && cs != 0, Fault::GP0)?;
        cpu.rflags.remove(Rflags::VM | Rflags::IF | Rflags::RF);
        let long = cpu.is_long();
        cpu.enter_flat(cs, cs.wrapping_add(8), 0, long);
        let mask = cpu.linear_mask;
        cpu.regs.set_named(Gpr::Rsp, cpu.msr.sysenter_esp & mask);
        cpu.rip = cpu.msr.sysenter_eip & mask;
        Err(Stop::Branch)
    }
}

impl<const LONG: bool> Instruction for Sysexit<LONG> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let cs = cpu.msr.sysenter_cs as u16 & 0xFFFC;
        cpu.ensure(cpu.cr0.contains(Cr0::PE) && cs != 0, Fault::GP0)?;
        cpu.require_cpl_0()?;
        let (mut rip, mut sp) = (cpu.regs.named::<u64>(Gpr::Rdx), cpu.regs.named(Gpr::Rcx));
        if LONG {
            let canonical = cpu.is_canonical(rip) && cpu.is_canonical(sp);
            cpu.ensure(canonical, Fault::GP0)?;
            cpu.enter_flat(cs.wrapping_add(32) | 3, cs.wrapping_add(40) | 3, 3, true);
        } else {
            (rip, sp) = (rip & u64::from(u32::MAX), sp & u64::from(u32::MAX));
            cpu.enter_flat(cs.wrapping_add(16) | 3, cs.wrapping_add(24) | 3, 3, false);
        }
        cpu.regs.set_named(Gpr::Rsp, sp);
        cpu.rip = rip;
        Err(Stop::Branch)
    }
}

impl Instruction for Sti {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        if cpu.may_change_if() {
            if !cpu.rflags.contains(Rflags::IF) {
                cpu.rflags.insert(Rflags::IF);
                cpu.sti_shadow = true;
            }
            return Err(Stop::Leave);
        }
        let ok = cpu.uses_vif() && !cpu.rflags.contains(Rflags::VIP);
        cpu.ensure(ok, Fault::GP0)?;
        cpu.rflags.insert(Rflags::VIF);
        Err(Stop::Leave)
    }
}

impl Instruction for Cli {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        if cpu.may_change_if() {
            cpu.rflags.remove(Rflags::IF);
        } else {
            cpu.ensure(cpu.uses_vif(), Fault::GP0)?;
            cpu.rflags.remove(Rflags::VIF);
        }
        Ok(())
    }
}

impl<T: Int> Instruction for Pushf<T> {
    fn execute(cpu: &mut Interpreter, _: OpRef) -> Result<(), Stop> {
        let mut image = cpu.flags_image() & !(Rflags::VM | Rflags::RF).bits();
        if cpu.is_virtual_8086() && cpu.rflags.iopl() < 3 {
            let ok = cpu.uses_vif_in_virtual_8086() && T::BITS == 16;
            cpu.ensure(ok, Fault::GP0)?;
            image = image & !Rflags::IF.bits() | Rflags::IOPL.bits();
            if cpu.rflags.contains(Rflags::VIF) {
                image |= Rflags::IF.bits();
            }
        }
        cpu.push::<T, Segmented>(T::from_u64(image))
    }
}

impl<T: Int> Instruction for Popf<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let by_vme = cpu.is_virtual_8086() && cpu.rflags.iopl() < 3;
        if by_vme {
            let ok = cpu.uses_vif_in_virtual_8086() && T::BITS == 16;
            cpu.ensure(ok, Fault::GP0)?;
        }
        let new = cpu.peek::<T, Segmented>()?.to_u64();
        let mut kept = Rflags::VM | Rflags::VIF | Rflags::VIP | Rflags::RF;
        if by_vme {
            cpu.check_virtual_flags(new)?;
            cpu.rflags.set(Rflags::VIF, new & Rflags::IF.bits() != 0);
        }
        if cpu.cpl != 0 {
            kept |= Rflags::IOPL;
        }
        if !cpu.may_change_if() {
            kept |= Rflags::IF;
        }
        cpu.drop_from_stack::<T, Segmented>(T::BYTES as u64);
        let (opened, mode) = (!cpu.rflags.contains(Rflags::IF), cpu.mode);
        if T::BITS >= 32 {
            cpu.rflags.remove(Rflags::RF);
        }
        cpu.write_flags(new, T::MASK & !kept.bits());
        let flags = cpu.rflags;
        if opened && flags.contains(Rflags::IF) {
            return Err(Stop::Leave);
        }
        if flags.contains(Rflags::TF) || cpu.mode != mode {
            cpu.rip = cpu.next_rip(op);
            return Err(Stop::Branch);
        }
        Ok(())
    }
}

impl Instruction for Int_ {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (vector, next) = (op.imm as u8, cpu.next_rip(op));
        if cpu.mode & mode::VIRTUAL_8086 != 0 {
            return cpu.interrupt_from_virtual_8086(vector, next);
        }
        cpu.software_interrupt(vector, Origin::Software, next)
    }
}

impl Instruction for Int3 {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let next = cpu.next_rip(op);
        cpu.software_interrupt(Exception::Breakpoint.vector(), Origin::Software, next)
    }
}

impl Instruction for Int1 {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let next = cpu.next_rip(op);
        let delivered = cpu.software_interrupt(Exception::Debug.vector(), Origin::Int1, next);
        if delivered != Err(Stop::Fault) {
            // What a load of SS in front of it met is part of the same #DB: a second one at once would find the
            // first frame on its interrupt stack.
            cpu.dr6 |= std::mem::take(&mut cpu.pending_debug);
        }
        delivered
    }
}

impl Instruction for Into_ {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        if !cpu.flags.of() {
            return Ok(());
        }
        let next = cpu.next_rip(op);
        cpu.software_interrupt(Exception::Overflow.vector(), Origin::Software, next)
    }
}

impl<T: Int> Instruction for Bound<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let index = cpu.regs.get::<T>(op.a).to_i64();
        let lower = cpu.load_part::<T>(op, 0)?.to_i64();
        let upper = cpu.load_part::<T>(op, T::BYTES as u64)?.to_i64();
        cpu.ensure(
            (lower..=upper).contains(&index),
            Fault::of(Exception::Bound),
        )
    }
}
