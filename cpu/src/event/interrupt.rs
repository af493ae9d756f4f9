//! Interrupts and the way into every handler: the real-mode vector table, gates, stack switching (SDM vol. 3,
//! chapter 6; the order of checks is that of vol. 2, "INT n").

use super::task::Reason;
use crate::exec::desc::{Descriptor, null_register, with_rpl};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::access::Place;
use crate::mem::segment::{Rules, Segment};
use crate::mem::tlb::Privilege;
use crate::models::SegmentEnd;
use crate::op::Stop;
use emu_core::Width;
use emu_core::probe::Delivery;
use emu_core::x86::{
    Cr0, Cr4, Exception, Gpr, Rflags, Seg, SegmentAttributes as A, SegmentRegister, Selector,
    SystemType,
};

/// Where an event comes from: whether the gate's DPL counts, and whether error codes say "external".
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A pin.
    External,
    /// An exception.
    Exception,
    /// INT n, INT3, INTO.
    Software,
    /// INT1: an instruction, but privileged like an exception.
    Int1,
}

/// An event on its way through the vector table.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Vector.
    pub vector: u8,
    /// Where it comes from.
    pub origin: Origin,
    /// Error code, if the exception has one.
    pub error: Option<u16>,
    /// Where execution goes on afterwards.
    pub return_rip: u64,
    /// The image of the flags that is saved.
    pub flags: u64,
}

/// Pushes that are kept without an allocation: the frame of an interrupt out of virtual-8086 mode with an error code.
const PUSHES: usize = 10;

/// A stack frame that is checked push by push and written only when all of it can be.
pub struct StackFrame {
    stack: Segment,
    sp: u64,
    mask: u64,
    privilege: Privilege,
    fault: Fault,
    /// The first pushes, as long as the TLB has their places at hand: host addresses, widths and values.
    at_hand: [(u64, Width, u64); PUSHES],
    /// How many of them there are.
    count: usize,
    /// The pushes behind them.
    pushes: Vec<(Place, Width, u64)>,
    /// Addresses have 64 bits, whatever the mode that is left.
    long: bool,
}

impl StackFrame {
    /// In IA-32e mode, from `sp` on, for a handler at level `cpl`.
    pub fn long(cpu: &Interpreter, sp: u64, cpl: u8) -> Self {
        let privilege = match cpl {
            3 => Privilege::User,
            _ if cpl < cpu.cpl => Privilege::Supervisor,
            _ => cpu.data_privilege(),
        };
        Self {
            stack: Segment::new(SegmentRegister::default(), Rules::Unused),
            sp,
            mask: u64::MAX,
            privilege,
            fault: Fault::SS0,
            at_hand: NO_PUSHES,
            count: 0,
            pushes: Vec::new(),
            long: true,
        }
    }

    /// On the present stack.
    pub fn current(cpu: &Interpreter) -> Self {
        Self {
            stack: cpu.segments[Seg::Ss as usize],
            sp: cpu.stack_pointer(),
            mask: cpu.stack_mask(),
            privilege: cpu.data_privilege(),
            fault: cpu.stack_fault(),
            at_hand: NO_PUSHES,
            count: 0,
            pushes: Vec::new(),
            long: cpu.is_64_bit(),
        }
    }

    /// On the stack of an inner level. A push that does not fit is `#SS(selector)`.
    pub fn inner(new: &InnerStack) -> Self {
        let big = new.register.attributes.contains(A::BIG);
        let mask = if big { u64::from(u32::MAX) } else { 0xFFFF };
        Self {
            stack: Segment::new(new.register, Rules::Protected),
            sp: new.sp & mask,
            mask,
            privilege: Privilege::Supervisor,
            fault: Fault::ss(new.register.selector),
            at_hand: NO_PUSHES,
            count: 0,
            pushes: Vec::new(),
            long: false,
        }
    }

    /// Checks and translates a push.
    pub fn push(&mut self, cpu: &mut Interpreter, width: Width, value: u64) -> Result<(), Stop> {
        let n = width.bytes() as u64;
        let sp = self.sp.wrapping_sub(n) & self.mask;
        if let Some(end) = cpu.model.segment_end
            && sp + n - 1 > self.mask
        {
            for i in 0..n {
                let at = match end {
                    SegmentEnd::Wraps => sp.wrapping_add(i) & self.mask,
                    SegmentEnd::GoesOn => sp + i,
                };
                let linear = self.stack.base.wrapping_add(at);
                let place = cpu.place_linear(linear, Width::Byte, self.privilege)?;
                self.pushes
                    .push((place, Width::Byte, value >> (8 * i) & 0xFF));
            }
            self.sp = sp;
            return Ok(());
        }
        let linear = if self.long {
            let canonical = cpu.is_canonical(sp) && cpu.is_canonical(sp.wrapping_add(n - 1));
            cpu.ensure(canonical, self.fault)?;
            sp
        } else {
            let wraps = self.stack.reg.limit == u32::MAX && self.stack.may_write(sp, 1);
            cpu.ensure(self.stack.may_write(sp, n) || wraps, self.fault)?;
            self.stack.base.wrapping_add(sp) & u64::from(u32::MAX)
        };
        let checks_alignment = self.privilege == Privilege::User
            && cpu.cr0.contains(Cr0::AM)
            && cpu.rflags.contains(Rflags::AC);
        let aligned = linear & (n - 1) == 0;
        cpu.ensure(
            aligned || !checks_alignment,
            Fault::of(Exception::AlignmentCheck),
        )?;
        self.sp = sp;
        if self.pushes.is_empty()
            && let Some(host) = cpu.store_at_hand(linear, n, self.privilege)
            && let Some(free) = self.at_hand.get_mut(self.count)
        {
            *free = (host, width, value);
            self.count += 1;
            return Ok(());
        }
        let place = cpu.place_linear(linear, width, self.privilege)?;
        self.pushes.push((place, width, value & width.mask()));
        Ok(())
    }

    /// Pushes several values, in their order.
    #[inline]
    pub fn push_all<const N: usize>(
        &mut self,
        cpu: &mut Interpreter,
        width: Width,
        values: [u64; N],
    ) -> Result<(), Stop> {
        if self.push_all_at_hand(cpu, width, &values) {
            return Ok(());
        }
        for value in values {
            self.push(cpu, width, value)?;
        }
        Ok(())
    }

    /// Pushes values that lie side by side in a page that the TLB has at hand, if no check can fail for any of them.
    #[inline]
    fn push_all_at_hand(&mut self, cpu: &Interpreter, width: Width, values: &[u64]) -> bool {
        let (n, total) = (width.bytes() as u64, (width.bytes() * values.len()) as u64);
        let Some(sp) = self.sp.checked_sub(total) else {
            return false;
        };
        let linear = if self.long {
            if !cpu.is_canonical(sp) || !cpu.is_canonical(self.sp - 1) {
                return false;
            }
            sp
        } else {
            if !self.stack.may_write(sp, total) {
                return false;
            }
            self.stack.base.wrapping_add(sp) & u64::from(u32::MAX)
        };
        let checks_alignment = self.privilege == Privilege::User && cpu.cr0.contains(Cr0::AM);
        if checks_alignment || cpu.model.segment_end.is_some() || !self.pushes.is_empty() {
            return false;
        }
        let Some(host) = cpu.store_at_hand(linear, total, self.privilege) else {
            return false;
        };
        let Some(free) = self.at_hand.get_mut(self.count..self.count + values.len()) else {
            return false;
        };
        let mut at = host + total;
        for (place, &value) in free.iter_mut().zip(values) {
            at -= n;
            *place = (at, width, value);
        }
        self.count += values.len();
        self.sp = sp;
        true
    }

    /// Writes the frame and gives the new stack pointer.
    pub fn commit(self, cpu: &mut Interpreter) -> u64 {
        for &(host, width, value) in self.at_hand.iter().take(self.count) {
            cpu.host_write(host, width, value);
        }
        for (place, width, value) in self.pushes {
            cpu.close_slow(place, width, value);
        }
        self.sp
    }
}

/// No pushes yet.
const NO_PUSHES: [(u64, Width, u64); PUSHES] = [(0, Width::Byte, 0); PUSHES];

/// The stack that the TSS names for an inner level.
#[derive(Copy, Clone, Debug)]
pub struct InnerStack {
    /// SS.
    pub register: SegmentRegister,
    /// ESP before the first push.
    pub sp: u64,
    /// SS's descriptor.
    pub descriptor: Descriptor,
}

impl Interpreter {
    /// The flags as they are saved: without bits that the model does not have.
    pub(crate) fn flags_image(&self) -> u64 {
        (self.rflags().bits() & self.model.flags_writable) | self.model.flags_fixed
    }

    /// RF in the image of the flags, if an interrupt or trap comes between two iterations of a repeated string
    /// instruction (SDM vol. 3, section 18.3.1.1).
    pub(crate) fn resume_flag(&mut self) -> Rflags {
        let between = std::mem::take(&mut self.attached.repeating);
        if between && !self.is_real() {
            Rflags::RF
        } else {
            Rflags::empty()
        }
    }

    /// Shows an event to the probe.
    #[inline]
    pub(crate) fn show_delivery(&mut self, e: &Event) {
        if self.probe().is_some() {
            self.show_delivery_to_probe(e);
        }
    }

    #[cold]
    fn show_delivery_to_probe(&mut self, e: &Event) {
        let delivery = Delivery {
            cpu: self.id,
            vector: e.vector,
            error: e.error.map(u32::from),
            fault_address: (e.origin == Origin::Exception && e.vector == Exception::Page.vector())
                .then_some(self.cr2),
        };
        if let Some(probe) = self.probe() {
            if e.origin == Origin::External {
                probe.interrupt(&delivery);
            } else {
                probe.exception(&delivery);
            }
        }
    }

    /// Whether a maskable interrupt is taken at this boundary. In virtual-8086 mode too IF decides; VIF is for
    /// software (SDM vol. 3, section 20.3.2).
    pub(crate) fn interrupts_open(&self) -> bool {
        self.rflags.contains(Rflags::IF) && !self.sti_shadow && !self.mov_ss_shadow
    }

    /// Has `attention` read before the next block if the instruction has let interrupts in, which were shut out in front of it
    /// if they were `closed`.
    #[inline(always)]
    pub(crate) fn poll_if_opened(&mut self, closed: bool) {
        self.poll |= closed && self.rflags.contains(Rflags::IF);
    }

    /// Delivers a maskable interrupt.
    pub(crate) fn deliver_external(&mut self, vector: u8) {
        self.deliver_from_pin(vector);
    }

    /// Delivers an NMI.
    pub(crate) fn deliver_nmi(&mut self) {
        self.deliver_from_pin(Exception::Nmi.vector());
    }

    fn deliver_from_pin(&mut self, vector: u8) {
        let event = Event {
            vector,
            origin: Origin::External,
            error: None,
            return_rip: self.rip,
            flags: self.flags_image() | self.resume_flag().bits(),
        };
        self.count_delivery();
        self.show_delivery(&event);
        match self.deliver_event(&event) {
            Ok(()) => self.record_delivery(event.return_rip, true),
            Err(_) => self.deliver_fault(),
        }
    }

    /// INT n from an instruction; `Err(Stop::Branch)` when it is done.
    pub(crate) fn software_interrupt(
        &mut self,
        vector: u8,
        origin: Origin,
        return_rip: u64,
    ) -> Result<(), Stop> {
        let event = Event {
            vector,
            origin,
            error: None,
            return_rip,
            flags: self.flags_image() & !Rflags::RF.bits(),
        };
        self.show_delivery(&event);
        if origin == Origin::Int1 {
            self.stop_recording();
        }
        // Whoever records executes one instruction at a time, so that this is its address.
        let from = self.rip;
        let closed = !self.rflags.contains(Rflags::IF);
        match self.deliver_event(&event) {
            Err(Stop::Fault) => return Err(Stop::Fault),
            // A fault in the new task.
            Err(_) => {
                self.deliver_fault();
                self.poll = true;
            }
            Ok(()) => {
                self.count_delivery();
                self.record_delivery(from, false);
                self.poll_if_opened(closed);
            }
        }
        Err(Stop::Branch)
    }

    /// INT n in virtual-8086 mode (SDM vol. 3, section 20.3, table 20-2).
    pub(crate) fn interrupt_from_virtual_8086(
        &mut self,
        vector: u8,
        return_rip: u64,
    ) -> Result<(), Stop> {
        let iopl_3 = self.rflags.iopl() == 3;
        if self.cr4.contains(Cr4::VME) && !self.redirected_to_monitor(vector)? {
            return self.interrupt_inside_virtual_8086(vector, return_rip);
        }
        self.ensure(iopl_3, Fault::GP0)?;
        self.software_interrupt(vector, Origin::Software, return_rip)
    }

    /// The bit of the TSS's redirection map for a vector: set, the interrupt goes through the IDT.
    fn redirected_to_monitor(&mut self, vector: u8) -> Result<bool, Stop> {
        let base = self.tr.base;
        let limit = u64::from(self.tr.limit);
        self.ensure(limit > 0x66, Fault::GP0)?;
        let io_map = self.load_linear(
            self.system_address(base, 0x66),
            Width::Word,
            Privilege::Supervisor,
        )?;
        let at = (io_map + u64::from(vector / 8)).wrapping_sub(32);
        self.ensure(io_map >= 32 && at <= limit, Fault::GP0)?;
        let byte = self.load_linear(
            self.system_address(base, at),
            Width::Byte,
            Privilege::Supervisor,
        )?;
        Ok(byte >> (vector % 8) & 1 != 0)
    }

    /// An interrupt by the virtual-8086 program's own vector table, at linear address 0 (SDM vol. 3, section 20.3.1,
    /// methods 5 and 6).
    fn interrupt_inside_virtual_8086(&mut self, vector: u8, return_rip: u64) -> Result<(), Stop> {
        let iopl_3 = self.rflags.iopl() == 3;
        let entry = self.load_linear(u64::from(vector) * 4, Width::Dword, Privilege::User)?;
        let mut image = self.flags_image() & !Rflags::RF.bits();
        if !iopl_3 {
            image = image & !Rflags::IF.bits() | Rflags::IOPL.bits();
            if self.rflags.contains(Rflags::VIF) {
                image |= Rflags::IF.bits();
            }
        }
        let mut frame = StackFrame::current(self);
        frame.push(self, Width::Word, image)?;
        frame.push(self, Width::Word, self.segment(Seg::Cs).selector.0.into())?;
        frame.push(self, Width::Word, return_rip)?;
        let sp = frame.commit(self);
        self.set_stack_pointer(sp);
        self.rflags
            .remove(if iopl_3 { Rflags::IF } else { Rflags::VIF });
        self.rflags.remove(Rflags::TF | Rflags::RF);
        let cs = self.real_register(Seg::Cs, Selector((entry >> 16) as u16));
        self.set_segment(Seg::Cs, cs);
        let from = std::mem::replace(&mut self.rip, entry & 0xFFFF);
        self.count_delivery();
        self.record_delivery(from, false);
        Err(Stop::Branch)
    }

    /// Sends an event to its handler. `Err(Stop::Fault)`: `self.fault` came up and nothing has changed;
    /// `Err(Stop::Branch)`: it came up in the new task of a task gate.
    pub(crate) fn deliver_event(&mut self, e: &Event) -> Result<(), Stop> {
        let done = if self.is_real() {
            self.deliver_real(e)
        } else if self.is_long() {
            self.deliver_long(e)
        } else {
            self.deliver_protected(e)
        };
        if done.is_err() && e.origin != Origin::Software {
            use Exception as X;
            // EXT (SDM vol. 3, section 6.13).
            if matches!(
                self.fault.exception,
                X::InvalidTss | X::NotPresent | X::Stack | X::GeneralProtection
            ) {
                self.fault.code |= 1;
            }
        }
        done
    }

    fn deliver_real(&mut self, e: &Event) -> Result<(), Stop> {
        let at = u64::from(e.vector) * 4;
        self.ensure(at + 3 <= u64::from(self.idtr.limit), Fault::GP0)?;
        let entry = self.load_linear(
            self.system_address(self.idtr.base, at),
            Width::Dword,
            Privilege::Supervisor,
        )?;
        let mut frame = StackFrame::current(self);
        frame.push(self, Width::Word, e.flags)?;
        frame.push(self, Width::Word, self.segment(Seg::Cs).selector.0.into())?;
        frame.push(self, Width::Word, e.return_rip)?;
        let sp = frame.commit(self);
        self.set_stack_pointer(sp);
        self.rflags
            .remove(Rflags::IF | Rflags::TF | Rflags::AC | Rflags::RF);
        let cs = self.real_register(Seg::Cs, Selector((entry >> 16) as u16));
        self.set_segment(Seg::Cs, cs);
        self.rip = entry & 0xFFFF;
        Ok(())
    }

    fn deliver_protected(&mut self, e: &Event) -> Result<(), Stop> {
        use SystemType as T;
        // Bit 1: the error code names an IDT entry.
        let code = u16::from(e.vector) << 3 | 2;
        let gp = Fault {
            exception: Exception::GeneralProtection,
            code,
        };
        let at = u64::from(e.vector) * 8;
        self.ensure(at + 7 <= u64::from(self.idtr.limit), gp)?;
        let gate = self.read_descriptor(self.system_address(self.idtr.base, at))?;
        let (width, masks) = match gate.system_type() {
            Some(T::TaskGate) => (Width::Word, false),
            Some(T::InterruptGate16) => (Width::Word, true),
            Some(T::TrapGate16) => (Width::Word, false),
            Some(T::InterruptGate32) => (Width::Dword, true),
            Some(T::TrapGate32) => (Width::Dword, false),
            _ => return Err(self.fault(gp)),
        };
        self.ensure(e.origin != Origin::Software || gate.dpl() >= self.cpl, gp)?;
        let absent = Fault {
            exception: Exception::NotPresent,
            code,
        };
        self.ensure(gate.is_present(), absent)?;
        if gate.system_type() == Some(T::TaskGate) {
            return self.deliver_to_task(gate.gate_selector(), e);
        }
        let selector = gate.gate_selector();
        self.ensure(!selector.is_null(), Fault::GP0)?;
        let gp = Fault::gp(selector);
        let cs = self.fetch_descriptor(selector, gp)?;
        self.ensure(cs.is_code() && cs.dpl() <= self.cpl, gp)?;
        self.ensure(cs.is_present(), Fault::np(selector))?;
        let inner = !cs.is_conforming() && cs.dpl() < self.cpl;
        if self.is_virtual_8086() {
            self.ensure(inner && cs.dpl() == 0, gp)?;
        }
        let target = gate.gate_offset();
        if inner {
            self.enter_inner_level(e, width, selector, cs, target)?;
        } else {
            let mut frame = StackFrame::current(self);
            self.push_return(&mut frame, e, width)?;
            self.ensure(target <= cs.limit().into(), Fault::GP0)?;
            self.mark_accessed(cs)?;
            let sp = frame.commit(self);
            self.set_stack_pointer(sp);
            self.put_segment(Seg::Cs, cs.register(with_rpl(selector, self.cpl)));
        }
        if masks {
            self.rflags.remove(Rflags::IF);
        }
        self.rflags
            .remove(Rflags::TF | Rflags::NT | Rflags::RF | Rflags::VM);
        self.rip = target;
        self.update_mode();
        Ok(())
    }

    /// Pushes flags, CS, instruction pointer and error code.
    fn push_return(&mut self, frame: &mut StackFrame, e: &Event, width: Width) -> Result<(), Stop> {
        let cs = self.segment(Seg::Cs).selector.0.into();
        frame.push_all(self, width, [e.flags, cs, e.return_rip])?;
        match e.error {
            Some(code) => frame.push(self, width, code.into()),
            None => Ok(()),
        }
    }

    /// Enters a handler at an inner level: its stack comes from the TSS. Leaves `update_mode` to the caller, who clears
    /// VM.
    fn enter_inner_level(
        &mut self,
        e: &Event,
        width: Width,
        selector: Selector,
        cs: Descriptor,
        target: u64,
    ) -> Result<(), Stop> {
        let from_v86 = self.is_virtual_8086();
        let dpl = cs.dpl();
        let stack = self.inner_stack(dpl)?;
        let mut frame = StackFrame::inner(&stack);
        if from_v86 {
            for seg in [Seg::Gs, Seg::Fs, Seg::Ds, Seg::Es] {
                frame.push(self, width, self.segment(seg).selector.0.into())?;
            }
        }
        let ss = self.segment(Seg::Ss).selector.0.into();
        let sp = self.regs.named::<u32>(Gpr::Rsp).into();
        let from = self.segment(Seg::Cs).selector.0.into();
        frame.push_all(self, width, [ss, sp, e.flags, from, e.return_rip])?;
        if let Some(code) = e.error {
            frame.push(self, width, code.into())?;
        }
        self.ensure(target <= cs.limit().into(), Fault::GP0)?;
        self.mark_accessed(stack.descriptor)?;
        self.mark_accessed(cs)?;
        let sp = frame.commit(self);
        if from_v86 {
            for seg in [Seg::Gs, Seg::Fs, Seg::Ds, Seg::Es] {
                self.put_segment(seg, null_register(Selector(0)));
            }
            self.rflags.remove(Rflags::VM);
        }
        self.put_segment(Seg::Cs, cs.register(with_rpl(selector, dpl)));
        self.put_inner_stack(&stack, sp);
        Ok(())
    }

    /// Switches to an inner stack whose pointer is now `sp`.
    pub(crate) fn take_inner_stack(&mut self, stack: &InnerStack, sp: u64) {
        self.put_inner_stack(stack, sp);
        self.update_mode();
    }

    /// As [`Self::take_inner_stack`]; `update_mode` must follow.
    fn put_inner_stack(&mut self, stack: &InnerStack, sp: u64) {
        self.put_segment(Seg::Ss, stack.register);
        self.regs.set_named(Gpr::Rsp, stack.sp as u32);
        if stack.register.attributes.contains(A::BIG) {
            self.regs.set_named(Gpr::Rsp, sp as u32);
        } else {
            self.regs.set_named(Gpr::Rsp, sp as u16);
        }
    }

    /// The stack that the TSS names for level `dpl`, checked (SDM vol. 2, "CALL", MORE-PRIVILEGE).
    pub(crate) fn inner_stack(&mut self, dpl: u8) -> Result<InnerStack, Stop> {
        let ts = Fault::ts(self.tr.selector);
        let (base, limit) = (self.tr.base, u64::from(self.tr.limit));
        let (sp, selector) = if self.tr.attributes.segment_type() & 8 != 0 {
            let at = u64::from(dpl) * 8 + 4;
            self.ensure(at + 5 <= limit, ts)?;
            let sp = self.load_linear(
                self.system_address(base, at),
                Width::Dword,
                Privilege::Supervisor,
            )?;
            (
                sp,
                self.load_linear(
                    self.system_address(base, at + 4),
                    Width::Word,
                    Privilege::Supervisor,
                )?,
            )
        } else {
            let at = u64::from(dpl) * 4 + 2;
            self.ensure(at + 3 <= limit, ts)?;
            let sp = self.load_linear(
                self.system_address(base, at),
                Width::Word,
                Privilege::Supervisor,
            )?;
            (
                sp,
                self.load_linear(
                    self.system_address(base, at + 2),
                    Width::Word,
                    Privilege::Supervisor,
                )?,
            )
        };
        let selector = Selector(selector as u16);
        let ts = Fault::ts(selector);
        self.ensure(!selector.is_null(), ts)?;
        let descriptor = self.fetch_descriptor(selector, ts)?;
        self.ensure(selector.rpl() == dpl, ts)?;
        self.ensure(descriptor.dpl() == dpl && descriptor.is_writable_data(), ts)?;
        self.ensure(descriptor.is_present(), Fault::ss(selector))?;
        Ok(InnerStack {
            register: descriptor.register(selector),
            sp,
            descriptor,
        })
    }

    /// Through a task gate.
    fn deliver_to_task(&mut self, selector: Selector, e: &Event) -> Result<(), Stop> {
        let tss = self.available_tss(selector)?;
        self.switch_task(selector, tss, Reason::Nested, e.return_rip, e.flags)?;
        let after = self.finish_task_entry(e.error, tss.is_32_bit_system());
        after.map_err(|_| Stop::Branch)
    }

    /// In the new task: pushes the error code and checks the entry point.
    fn finish_task_entry(&mut self, error: Option<u16>, wide: bool) -> Result<(), Stop> {
        if let Some(code) = error {
            let mut frame = StackFrame::current(self);
            let width = if wide { Width::Dword } else { Width::Word };
            frame.push(self, width, code.into())?;
            let sp = frame.commit(self);
            self.set_stack_pointer(sp);
        }
        let limit = u64::from(self.segment(Seg::Cs).limit);
        self.ensure(self.rip <= limit, Fault::GP0)
    }
}
