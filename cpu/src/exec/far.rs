//! Far jumps, calls and returns, and IRET (SDM vol. 2 for the order of checks; vol. 3, sections 5.8, 7.3 and 20.2).

use super::desc::{Descriptor, null_register, null_stack, virtual_8086_register, with_rpl};
use super::operand::As;
use crate::alu::Int;
use crate::context::Context;
use crate::event::interrupt::StackFrame;
use crate::event::task::Reason;
use crate::fault::Fault;
use crate::interpreter::{Interpreter, mode};
use crate::mem::access;
use crate::mem::address::Segmented;
use crate::op::{Instruction, OpRef, Stop};
use emu_core::Width;
use emu_core::x86::{
    Cr4, Gpr, Rflags, Seg, SegmentAttributes as A, SegmentRegister, Selector, SystemType,
};

const SS: usize = Seg::Ss as usize;

/// JMP ptr: the offset, and the selector in the second slot.
pub struct JmpFar<T>(As<T>);
/// JMP m.
pub struct JmpFarTo<T>(As<T>);
/// CALL ptr: the offset, and the selector in the second slot.
pub struct CallFar<T>(As<T>);
/// CALL m.
pub struct CallFarTo<T>(As<T>);
/// RETF, and RETF imm16.
pub struct RetFar<T>(As<T>);
/// IRET, IRETD, IRETQ.
pub struct Iret<T>(As<T>);

impl<T: Int> Instruction for JmpFar<T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let offset = op.imm as u32 as u64 & T::MASK;
        cpu.jump_far(Selector(op.second() as u16), offset, op)
    }
}

impl<T: Int> Instruction for JmpFarTo<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (selector, offset) = cpu.load_far_pointer::<T>(op)?;
        cpu.jump_far(selector, offset, op)
    }
}

impl<T: Int> Instruction for CallFar<T> {
    const SLOTS: usize = 2;
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let offset = op.imm as u32 as u64 & T::MASK;
        cpu.call_far(T::WIDTH, Selector(op.second() as u16), offset, op)
    }
}

impl<T: Int> Instruction for CallFarTo<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let (selector, offset) = cpu.load_far_pointer::<T>(op)?;
        cpu.call_far(T::WIDTH, selector, offset, op)
    }
}

impl<T: Int> Instruction for RetFar<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        let extra = u64::from(op.imm as u16);
        if cpu.is_protected() {
            return cpu.return_far_protected::<T>(extra);
        }
        let rip = cpu.on_stack::<T>(0)?;
        let selector = Selector(cpu.on_stack::<T>(1)? as u16);
        cpu.check_target(rip)?;
        cpu.drop_from_stack::<T, Segmented>(2 * T::BYTES as u64 + extra);
        cpu.go_real(selector, rip)
    }
}

impl<T: Int> Instruction for Iret<T> {
    fn execute(cpu: &mut Interpreter, op: OpRef) -> Result<(), Stop> {
        // IRET lets NMIs in again even if it faults (SDM vol. 3, section 6.7.1).
        cpu.poll |= std::mem::take(&mut cpu.nmi_blocked);
        let closed = !cpu.rflags.contains(Rflags::IF);
        let done = if !cpu.is_protected() {
            cpu.return_from_real_interrupt::<T>()
        } else if cpu.rflags.contains(Rflags::NT) {
            // There are no task switches in IA-32e mode.
            let tasks = !cpu.is_long();
            cpu.ensure(tasks, Fault::GP0)?;
            cpu.return_to_linked_task(op)
        } else {
            cpu.return_from_interrupt::<T>()
        };
        cpu.poll_if_opened(closed);
        done
    }
}

/// Where a far transfer leads, after all checks but that of the target against the limit.
#[derive(Copy, Clone)]
struct CodeTarget {
    selector: Selector,
    descriptor: Descriptor,
    rip: u64,
}

/// The descriptor of the stack that a return leads to; `None`: a null selector.
type OuterStack = Option<Descriptor>;

impl Interpreter {
    /// Slot `n` of the stack, as operands of `T`.
    fn on_stack<T: Int>(&mut self, n: u64) -> Result<u64, Stop> {
        self.on_stack_at::<T>(n * T::BYTES as u64)
    }

    /// The stack `distance` bytes above its top.
    fn on_stack_at<T: Int>(&mut self, distance: u64) -> Result<u64, Stop> {
        let at = self.stack_pointer().wrapping_add(distance) & self.stack_mask();
        Ok(self.load_at::<T, Segmented>(SS, at)?.to_u64())
    }

    /// The first `N` slots of the stack, if reading them takes no more than a hit of the TLB.
    fn stack_at_hand<T: Int, const N: usize>(&self) -> Option<[u64; N]> {
        let (sp, bytes) = (self.stack_pointer(), (N * T::BYTES) as u64);
        let s = &self.segments[SS];
        let wraps = sp > self.stack_mask() - (bytes - 1);
        if wraps || !s.may_read(sp, bytes) {
            return None;
        }
        let linear = s.base.wrapping_add(sp) & self.linear_mask;
        let host = self.tlb.read_hit_of(linear, bytes)?;
        let slot = |n| access::read_host::<T>(host + (n * T::BYTES) as u64).to_u64();
        Some(std::array::from_fn(slot))
    }

    /// Goes to `selector:rip` in real or virtual-8086 mode.
    fn go_real(&mut self, selector: Selector, rip: u64) -> Result<(), Stop> {
        let cs = self.real_register(Seg::Cs, selector);
        self.set_segment(Seg::Cs, cs);
        self.trigger_monitor();
        self.rip = rip;
        Err(Stop::Branch)
    }

    /// Goes to a code segment at the present level.
    fn go(&mut self, t: CodeTarget) -> Result<(), Stop> {
        let selector = with_rpl(t.selector, self.cpl);
        self.set_segment(Seg::Cs, t.descriptor.register(selector));
        self.trigger_monitor();
        self.rip = t.rip;
        Err(Stop::Branch)
    }

    /// What far transfers but those by gates take of an offset: from 64-bit mode to compatibility mode 32 bits.
    fn offset_within(&self, code: Descriptor, offset: u64) -> u64 {
        if self.is_long() && !code.is_code_64() {
            offset & u64::from(u32::MAX)
        } else {
            offset
        }
    }

    /// The last checks before [`Self::go`].
    fn check_code(&mut self, t: CodeTarget) -> Result<(), Stop> {
        let reaches = if self.is_long() && t.descriptor.is_code_64() {
            self.is_canonical(t.rip)
        } else {
            t.rip <= t.descriptor.limit().into()
        };
        self.ensure(reaches, Fault::GP0)?;
        self.mark_accessed(t.descriptor)
    }

    /// In IA-32e mode a code segment with both L and D is refused.
    fn check_width(&mut self, selector: Selector, d: Descriptor) -> Result<(), Stop> {
        let both = self.is_long() && d.is_code_64() && d.attributes().contains(A::BIG);
        self.ensure(!both, Fault::gp(selector))
    }

    fn jump_far(&mut self, selector: Selector, rip: u64, op: OpRef) -> Result<(), Stop> {
        if !self.is_protected() {
            self.check_target(rip)?;
            return self.go_real(selector, rip);
        }
        let d = self.far_descriptor(selector)?;
        if d.is_code() {
            let t = CodeTarget {
                selector,
                descriptor: d,
                rip: self.offset_within(d, rip),
            };
            self.check_direct(t)?;
            self.check_code(t)?;
            return self.go(t);
        }
        let d = self.check_system_target(selector, d)?;
        if d.system_type() == Some(SystemType::TaskGate) || d.is_available_tss() {
            return self.switch_by_far_pointer(selector, d, Reason::Jump, op);
        }
        let t = self.through_call_gate(d)?;
        let c = t.descriptor;
        let allowed = if c.is_conforming() {
            c.dpl() <= self.cpl
        } else {
            c.dpl() == self.cpl
        };
        self.ensure(allowed, Fault::gp(t.selector))?;
        self.ensure(c.is_present(), Fault::np(t.selector))?;
        self.check_code(t)?;
        self.go(t)
    }

    fn call_far(
        &mut self,
        width: Width,
        selector: Selector,
        rip: u64,
        op: OpRef,
    ) -> Result<(), Stop> {
        if !self.is_protected() {
            let mut frame = StackFrame::current(self);
            self.push_far_return(&mut frame, width, op)?;
            self.check_target(rip)?;
            let sp = frame.commit(self);
            self.set_stack_pointer(sp);
            return self.go_real(selector, rip);
        }
        let d = self.far_descriptor(selector)?;
        if d.is_code() {
            let t = CodeTarget {
                selector,
                descriptor: d,
                rip: self.offset_within(d, rip),
            };
            self.check_direct(t)?;
            let frame = StackFrame::current(self);
            return self.call_same_level(frame, width, t, op);
        }
        let d = self.check_system_target(selector, d)?;
        if d.system_type() == Some(SystemType::TaskGate) || d.is_available_tss() {
            return self.switch_by_far_pointer(selector, d, Reason::Nested, op);
        }
        let t = self.through_call_gate(d)?;
        let c = t.descriptor;
        self.ensure(c.dpl() <= self.cpl, Fault::gp(t.selector))?;
        self.ensure(c.is_present(), Fault::np(t.selector))?;
        let width = if self.is_long() {
            Width::Qword
        } else if d.is_32_bit_system() {
            Width::Dword
        } else {
            Width::Word
        };
        if !c.is_conforming() && c.dpl() < self.cpl {
            if self.is_long() {
                return self.call_inner_level_long(t, op);
            }
            return self.call_inner_level(width, t, d.gate_parameters(), op);
        }
        // The gate's code segment is loaded before the pushes (SDM vol. 2, "CALL", SAME-PRIVILEGE): they are those of
        // 64-bit mode even if compatibility mode called.
        let frame = if self.is_long() {
            StackFrame::long(self, self.regs.named(Gpr::Rsp), self.cpl)
        } else {
            StackFrame::current(self)
        };
        self.call_same_level(frame, width, t, op)
    }

    /// The descriptor that a far pointer names.
    fn far_descriptor(&mut self, selector: Selector) -> Result<Descriptor, Stop> {
        self.ensure(!selector.is_null(), Fault::GP0)?;
        self.fetch_descriptor(selector, Fault::gp(selector))
    }

    /// Privilege and presence of a code segment that is named directly.
    fn check_direct(&mut self, t: CodeTarget) -> Result<(), Stop> {
        let d = t.descriptor;
        let allowed = if d.is_conforming() {
            d.dpl() <= self.cpl
        } else {
            t.selector.rpl() <= self.cpl && d.dpl() == self.cpl
        };
        self.ensure(allowed, Fault::gp(t.selector))?;
        self.check_width(t.selector, d)?;
        self.ensure(d.is_present(), Fault::np(t.selector))
    }

    /// Type, privilege and presence of a gate or TSS that is named directly.
    /// In IA-32e mode only call gates are left; the descriptor comes back with its second half.
    fn check_system_target(
        &mut self,
        selector: Selector,
        d: Descriptor,
    ) -> Result<Descriptor, Stop> {
        use SystemType as T;
        let long = self.is_long();
        let kind = (!long || d.system_type() == Some(T::CallGate32))
            && matches!(
                d.system_type(),
                Some(
                    T::CallGate16
                        | T::CallGate32
                        | T::TaskGate
                        | T::Tss16Available
                        | T::Tss32Available
                )
            );
        let allowed = d.dpl() >= self.cpl && d.dpl() >= selector.rpl();
        // A TSS lies in the GDT (SDM vol. 3, section 7.2.2).
        let misplaced = d.is_available_tss() && selector.is_local();
        self.ensure(kind && allowed && !misplaced, Fault::gp(selector))?;
        self.ensure(d.is_present(), Fault::np(selector))?;
        if long {
            return self.fetch_system_descriptor(selector, Fault::gp(selector));
        }
        Ok(d)
    }

    /// JMP or CALL to a TSS or through a task gate.
    fn switch_by_far_pointer(
        &mut self,
        selector: Selector,
        d: Descriptor,
        reason: Reason,
        op: OpRef,
    ) -> Result<(), Stop> {
        let selector = if d.is_available_tss() {
            selector
        } else {
            d.gate_selector()
        };
        let tss = self.available_tss(selector)?;
        self.enter_task(selector, tss, reason, op)
    }

    /// The code segment that a call gate leads to.
    fn through_call_gate(&mut self, gate: Descriptor) -> Result<CodeTarget, Stop> {
        let selector = gate.gate_selector();
        let descriptor = self.far_descriptor(selector)?;
        self.ensure(descriptor.is_code(), Fault::gp(selector))?;
        if self.is_long() {
            self.ensure(descriptor.is_code_64(), Fault::gp(selector))?;
            self.check_width(selector, descriptor)?;
        }
        Ok(CodeTarget {
            selector,
            descriptor,
            rip: gate.gate_offset(),
        })
    }

    /// Pushes CS and the next instruction's address.
    fn push_far_return(
        &mut self,
        frame: &mut StackFrame,
        width: Width,
        op: OpRef,
    ) -> Result<(), Stop> {
        frame.push(self, width, self.segment(Seg::Cs).selector.0.into())?;
        frame.push(self, width, self.next_rip(op))
    }

    /// A call that stays at its level; the return address goes to `frame`.
    fn call_same_level(
        &mut self,
        mut frame: StackFrame,
        width: Width,
        t: CodeTarget,
        op: OpRef,
    ) -> Result<(), Stop> {
        self.push_far_return(&mut frame, width, op)?;
        self.check_code(t)?;
        let sp = frame.commit(self);
        match width {
            // Of 64-bit mode, or soon to be there.
            Width::Qword => self.regs.set_named(Gpr::Rsp, sp),
            _ => self.set_stack_pointer(sp),
        }
        self.go(t)
    }

    /// A call through a gate to an inner level: a new stack, with the parameters of the old one.
    fn call_inner_level(
        &mut self,
        width: Width,
        t: CodeTarget,
        parameters: u64,
        op: OpRef,
    ) -> Result<(), Stop> {
        let dpl = t.descriptor.dpl();
        let stack = self.inner_stack(dpl)?;
        let mut frame = StackFrame::inner(&stack);
        frame.push(self, width, self.segment(Seg::Ss).selector.0.into())?;
        frame.push(self, width, self.regs.named::<u32>(Gpr::Rsp).into())?;
        for n in (0..parameters).rev() {
            let v = match width {
                Width::Dword => self.on_stack::<u32>(n)?,
                _ => self.on_stack::<u16>(n)?,
            };
            frame.push(self, width, v)?;
        }
        frame.push(self, width, self.segment(Seg::Cs).selector.0.into())?;
        frame.push(self, width, self.next_rip(op))?;
        self.check_code(t)?;
        self.mark_accessed(stack.descriptor)?;
        let sp = frame.commit(self);
        self.take_inner_stack(&stack, sp);
        self.go(t)
    }

    /// A call through a gate of IA-32e mode to an inner level: its stack pointer comes from the TSS, SS becomes null.
    fn call_inner_level_long(&mut self, t: CodeTarget, op: OpRef) -> Result<(), Stop> {
        let dpl = t.descriptor.dpl();
        let sp = self.inner_stack_pointer(dpl)?;
        let mut frame = StackFrame::long(self, sp, dpl);
        for value in [
            self.segment(Seg::Ss).selector.0.into(),
            self.regs.named(Gpr::Rsp),
            self.segment(Seg::Cs).selector.0.into(),
            self.next_rip(op),
        ] {
            frame.push(self, Width::Qword, value)?;
        }
        self.check_code(t)?;
        let sp = frame.commit(self);
        self.take_long_stack(dpl, sp);
        let cs = t.descriptor.register(with_rpl(t.selector, dpl));
        self.put_segment(Seg::Cs, cs);
        self.update_mode();
        self.rip = t.rip;
        Err(Stop::Branch)
    }

    /// The code segment that a return leads to, with its privilege checked. `Err`: #GP or #NP.
    fn return_target(&mut self, selector: Selector, rip: u64) -> Result<CodeTarget, Stop> {
        let gp = Fault::gp(selector);
        let d = self.far_descriptor(selector)?;
        let rpl = selector.rpl();
        self.ensure(d.is_code() && rpl >= self.cpl, gp)?;
        let fits = if d.is_conforming() {
            d.dpl() <= rpl
        } else {
            d.dpl() == rpl
        };
        self.ensure(fits, gp)?;
        self.check_width(selector, d)?;
        self.ensure(d.is_present(), Fault::np(selector))?;
        // AMD's processors hold all of the 64 bits against the limit of a segment with fewer.
        let whole = self.model.is_amd() && rip > u64::from(u32::MAX);
        Ok(CodeTarget {
            selector,
            descriptor: d,
            rip: if whole {
                rip
            } else {
                self.offset_within(d, rip)
            },
        })
    }

    /// The stack segment that a return leads to; `None`: the null one that 64-bit code may have, but at CPL 3.
    fn return_stack(&mut self, selector: Selector, t: CodeTarget) -> Result<OuterStack, Stop> {
        let gp = Fault::gp(selector);
        let rpl = t.selector.rpl();
        if selector.is_null() {
            let ok = self.is_long() && t.descriptor.is_code_64() && rpl != 3;
            self.ensure(ok && selector.rpl() == rpl, Fault::GP0)?;
            return Ok(None);
        }
        let d = self.fetch_descriptor(selector, gp)?;
        let ok = selector.rpl() == rpl && d.is_writable_data() && d.dpl() == rpl;
        self.ensure(ok, gp)?;
        self.ensure(d.is_present(), Fault::ss(selector))?;
        Ok(Some(d))
    }

    /// Goes to an outer level, or in 64-bit mode to the same one with another stack. Data segments that its level must
    /// not see become null; null selectors become 0 (SDM vol. 2, "IRET", RETURN-TO-OUTER-PRIVILEGE-LEVEL).
    fn go_outer(&mut self, t: CodeTarget, ss: (Selector, OuterStack), sp: u64) -> Result<(), Stop> {
        let rpl = t.selector.rpl();
        let outer = rpl > self.cpl;
        self.put_segment(Seg::Cs, t.descriptor.register(t.selector));
        let stack = match ss.1 {
            Some(d) => d.register(ss.0),
            None => null_stack(ss.0, rpl),
        };
        self.put_segment(Seg::Ss, stack);
        for seg in [Seg::Es, Seg::Fs, Seg::Gs, Seg::Ds] {
            let a = self.segment(seg).attributes;
            let conforming = a.contains(A::CODE | A::EXPAND_DOWN);
            if outer && !a.contains(A::USABLE) {
                // Its base stays: FS and GS of 64-bit programs have null selectors.
                self.segments[seg as usize].reg.selector = Selector(0);
            } else if outer && !conforming && a.dpl() < rpl {
                let base = self.segment(seg).base;
                let null = null_register(Selector(0));
                self.put_segment(seg, SegmentRegister { base, ..null });
            }
        }
        self.update_mode();
        self.set_outer_stack_pointer(sp);
        self.rip = t.rip;
        Err(Stop::Branch)
    }

    /// Loads the stack pointer of an outer level: with a 16-bit stack only SP (the upper half leaks, as on silicon).
    fn set_outer_stack_pointer(&mut self, sp: u64) {
        if self.is_64_bit() {
            self.regs.set_named(Gpr::Rsp, sp);
        } else if self.mode & mode::STACK_32 != 0 {
            self.regs.set_named(Gpr::Rsp, sp as u32);
        } else {
            self.regs.set_named(Gpr::Rsp, sp as u16);
        }
    }

    fn return_far_protected<T: Int>(&mut self, extra: u64) -> Result<(), Stop> {
        let n = T::BYTES as u64;
        let rip = self.on_stack::<T>(0)?;
        let selector = Selector(self.on_stack::<T>(1)? as u16);
        let t = self.return_target(selector, rip)?;
        if selector.rpl() == self.cpl {
            self.check_code(t)?;
            self.drop_from_stack::<T, Segmented>(2 * n + extra);
            return self.go(t);
        }
        let sp = self.on_stack_at::<T>(2 * n + extra)?;
        let ss = Selector(self.on_stack_at::<T>(3 * n + extra)? as u16);
        let stack = self.return_stack(ss, t)?;
        self.check_code(t)?;
        self.mark_stack_accessed(stack)?;
        self.go_outer(t, (ss, stack), sp.wrapping_add(extra))
    }

    /// IRET in protected mode without NT.
    fn return_from_interrupt<T: Int>(&mut self) -> Result<(), Stop> {
        let n = T::BYTES as u64;
        let at_hand = self.stack_at_hand::<T, 5>();
        let slot = |cpu: &mut Self, n: usize| match at_hand {
            Some(slots) => Ok(slots[n]),
            None => cpu.on_stack::<T>(n as u64),
        };
        let rip = slot(self, 0)?;
        let selector = Selector(slot(self, 1)? as u16);
        let flags = slot(self, 2)?;
        let virtual_8086 = T::BITS == 32 && flags & Rflags::VM.bits() != 0 && self.cpl == 0;
        if virtual_8086 && !self.is_long() {
            return self.return_to_virtual_8086(rip, selector, flags);
        }
        let t = self.return_target(selector, rip)?;
        let mask = self.iret_flags::<T>();
        // Out of 64-bit mode the stack is always taken over.
        if selector.rpl() == self.cpl && !self.is_64_bit() {
            self.check_code(t)?;
            self.drop_from_stack::<T, Segmented>(3 * n);
            self.put_flags(flags, mask);
            return self.go(t);
        }
        let sp = slot(self, 3)?;
        let ss = Selector(slot(self, 4)? as u16);
        let stack = self.return_stack(ss, t)?;
        self.check_code(t)?;
        self.mark_stack_accessed(stack)?;
        self.put_flags(flags, mask);
        self.go_outer(t, (ss, stack), sp)
    }

    fn mark_stack_accessed(&mut self, stack: OuterStack) -> Result<(), Stop> {
        stack.map_or(Ok(()), |d| self.mark_accessed(d))
    }

    /// The flags that IRET at the present level may change.
    fn iret_flags<T: Int>(&self) -> u64 {
        let mut mask = Rflags::ARITHMETIC | Rflags::TF | Rflags::DF | Rflags::NT;
        if T::BITS >= 32 {
            mask |= Rflags::RF | Rflags::AC | Rflags::ID;
        }
        if self.cpl <= self.rflags.iopl() {
            mask |= Rflags::IF;
        }
        if self.cpl == 0 {
            mask |= Rflags::IOPL;
            if T::BITS >= 32 {
                mask |= Rflags::VIF | Rflags::VIP;
            }
        }
        mask.bits()
    }

    /// IRETD to a virtual-8086 program.
    fn return_to_virtual_8086(&mut self, rip: u64, cs: Selector, flags: u64) -> Result<(), Stop> {
        let sp = self.on_stack::<u32>(3)?;
        let ss = self.on_stack::<u32>(4)?;
        let mut data = [0; 4];
        for (n, v) in (5..).zip(&mut data) {
            *v = self.on_stack::<u32>(n)?;
        }
        self.ensure(rip <= 0xFFFF, Fault::GP0)?;
        self.put_segment(Seg::Cs, virtual_8086_register(cs));
        self.put_segment(Seg::Ss, virtual_8086_register(Selector(ss as u16)));
        for (seg, v) in [Seg::Es, Seg::Ds, Seg::Fs, Seg::Gs].into_iter().zip(data) {
            self.put_segment(seg, virtual_8086_register(Selector(v as u16)));
        }
        self.regs.set_named(Gpr::Rsp, sp as u32);
        self.write_flags(flags, u64::MAX);
        self.rip = rip;
        Err(Stop::Branch)
    }

    /// IRET in real and virtual-8086 mode.
    fn return_from_real_interrupt<T: Int>(&mut self) -> Result<(), Stop> {
        let v86 = self.is_virtual_8086();
        let by_vme = v86 && self.rflags.iopl() < 3;
        if by_vme {
            let extended = self.cr4.contains(Cr4::VME) && T::BITS == 16;
            self.ensure(extended, Fault::GP0)?;
        }
        let rip = self.on_stack::<T>(0)?;
        let selector = Selector(self.on_stack::<T>(1)? as u16);
        let flags = self.on_stack::<T>(2)?;
        if by_vme {
            self.check_virtual_flags(flags)?;
        }
        self.check_target(rip)?;
        self.drop_from_stack::<T, Segmented>(3 * T::BYTES as u64);
        let mut kept = Rflags::VM | Rflags::VIF | Rflags::VIP;
        if v86 {
            kept |= Rflags::IOPL;
        }
        if by_vme {
            kept |= Rflags::IF;
            self.rflags.set(Rflags::VIF, flags & Rflags::IF.bits() != 0);
        }
        self.write_flags(flags, T::MASK & !kept.bits());
        self.go_real(selector, rip)
    }

    /// With VME, popping flags at IOPL below 3 faults if TF would be set, or interrupts would open while one is
    /// pending (SDM vol. 3, section 20.3.2).
    pub(crate) fn check_virtual_flags(&mut self, flags: u64) -> Result<(), Stop> {
        let opens = flags & Rflags::IF.bits() != 0 && self.rflags.contains(Rflags::VIP);
        self.ensure(!opens && flags & Rflags::TF.bits() == 0, Fault::GP0)
    }

    /// Replaces the flags in `mask`, as far as the model and (on the 80286) the mode let them be written.
    pub(crate) fn write_flags(&mut self, new: u64, mask: u64) {
        self.put_flags(new, mask);
        self.update_mode();
    }

    /// As [`Self::write_flags`]; `update_mode` must follow.
    fn put_flags(&mut self, new: u64, mask: u64) {
        let mut mask = mask & self.model.flags_writable;
        if self.is_16_bit_model() && self.is_real() {
            // NT and IOPL stay 0 in the real mode of an 80286.
            mask &= 0x0FFF;
        }
        // Of arithmetic flags that are all replaced nobody asks what they were.
        let old = if Rflags::ARITHMETIC.bits() & !mask == 0 {
            self.rflags.bits()
        } else {
            self.rflags().bits()
        };
        let flags = old & !mask | new & mask | self.model.flags_fixed;
        self.put_rflags(Rflags::from_bits_retain(flags));
    }
}
