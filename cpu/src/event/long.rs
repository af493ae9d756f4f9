//! Interrupts and exceptions in IA-32e mode: gates of 16 bytes, the stacks of the 64-bit TSS, frames of five
//! quadwords (SDM vol. 3, section 6.14).

use super::interrupt::{Event, Origin, StackFrame};
use crate::exec::desc::{null_stack, with_rpl};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use crate::mem::tlb::Privilege;
use crate::op::Stop;
use emu_core::Width;
use emu_core::x86::{Exception, Gpr, Rflags, Seg, Selector, SystemType};

/// RSP0 in a 64-bit TSS (SDM vol. 3, figure 7-11).
const TSS_RSP_0: u64 = 4;
/// IST1 in a 64-bit TSS.
const TSS_IST_1: u64 = 0x24;

impl Interpreter {
    /// A stack pointer of the 64-bit TSS.
    fn tss_stack(&mut self, offset: u64) -> Result<u64, Stop> {
        let ts = Fault::ts(self.tr.selector);
        self.ensure(offset + 7 <= u64::from(self.tr.limit), ts)?;
        let at = self.system_address(self.tr.base, offset);
        self.load_linear(at, Width::Qword, Privilege::Supervisor)
    }

    /// The stack pointer that the 64-bit TSS has for level `dpl`.
    pub(crate) fn inner_stack_pointer(&mut self, dpl: u8) -> Result<u64, Stop> {
        self.tss_stack(TSS_RSP_0 + 8 * u64::from(dpl))
    }

    /// Becomes a handler at level `dpl` with its stack; SS is null if the level changes. Leaves CS and `update_mode` to
    /// the caller.
    pub(crate) fn take_long_stack(&mut self, dpl: u8, sp: u64) {
        if dpl != self.cpl {
            let null = Selector(dpl.into());
            self.put_segment(Seg::Ss, null_stack(null, dpl));
        }
        self.regs.set_named(Gpr::Rsp, sp);
    }

    pub(super) fn deliver_long(&mut self, e: &Event) -> Result<(), Stop> {
        use SystemType as T;
        // Bit 1: the error code names an IDT entry.
        let code = u16::from(e.vector) << 3 | 2;
        let gp = Fault {
            exception: Exception::GeneralProtection,
            code,
        };
        let at = u64::from(e.vector) * 16;
        self.ensure(at + 15 <= u64::from(self.idtr.limit), gp)?;
        let gate = self.read_wide_descriptor(self.system_address(self.idtr.base, at))?;
        let gate = gate.ok_or_else(|| self.fault(gp))?;
        let masks = match self.type_of(gate) {
            Some(T::InterruptGate32) => true,
            Some(T::TrapGate32) => false,
            _ => return Err(self.fault(gp)),
        };
        self.ensure(e.origin != Origin::Software || gate.dpl() >= self.cpl, gp)?;
        let absent = Fault {
            exception: Exception::NotPresent,
            code,
        };
        self.ensure(gate.is_present(), absent)?;
        let selector = gate.gate_selector();
        self.ensure(!selector.is_null(), Fault::GP0)?;
        let gp = Fault::gp(selector);
        let cs = self.fetch_descriptor(selector, gp)?;
        self.ensure(cs.is_code() && cs.dpl() <= self.cpl, gp)?;
        // L set and D clear: a handler is 64-bit code.
        let big = cs
            .attributes()
            .contains(emu_core::x86::SegmentAttributes::BIG);
        self.ensure(cs.is_code_64() && !big, gp)?;
        self.ensure(cs.is_present(), Fault::np(selector))?;
        let cpl = if cs.is_conforming() {
            self.cpl
        } else {
            cs.dpl()
        };
        let sp = match gate.gate_stack() {
            0 if cpl != self.cpl => self.inner_stack_pointer(cpl)?,
            0 => self.regs.named(Gpr::Rsp),
            n => self.tss_stack(TSS_IST_1 + 8 * (n - 1))?,
        };
        let mut frame = StackFrame::long(self, sp & !0xF, cpl);
        let values = [
            self.segment(Seg::Ss).selector.0.into(),
            self.regs.named(Gpr::Rsp),
            e.flags,
            self.segment(Seg::Cs).selector.0.into(),
            e.return_rip,
        ];
        frame.push_all(self, Width::Qword, values)?;
        if let Some(code) = e.error {
            frame.push(self, Width::Qword, code.into())?;
        }
        let target = gate.gate_offset();
        let canonical = self.is_canonical(target);
        self.ensure(canonical, Fault::GP0)?;
        self.mark_accessed(cs)?;
        let sp = frame.commit(self);
        self.take_long_stack(cpl, sp);
        self.put_segment(Seg::Cs, cs.register(with_rpl(selector, cpl)));
        if masks {
            self.rflags.remove(Rflags::IF);
        }
        self.rflags.remove(Rflags::TF | Rflags::NT | Rflags::RF);
        self.rip = target;
        self.update_mode();
        Ok(())
    }
}
