//! Delivery of exceptions, one after the other, up to a double fault and shutdown (SDM vol. 3, section 6.15,
//! "Interrupt 8").

use super::interrupt::{Event, Origin};
use crate::fault::Fault;
use crate::interpreter::Interpreter;
use emu_core::x86::{Dr6, Exception, ExceptionClass as Class, Rflags};

/// Exceptions in a row, each raised by the delivery of the one before, after which the CPU shuts down. Only an #AC
/// whose handler's frame is misaligned at CPL 3 gets there: a real CPU then delivers #AC for ever.
const CHAIN_MAX: u32 = 16;

/// DR7.GD: the next access to a debug register faults; delivery of #DB clears it.
pub const DR7_GD: u64 = 1 << 13;

impl Interpreter {
    /// Delivers `self.fault`; the instruction pointer is that of the instruction that faulted.
    pub(crate) fn deliver_fault(&mut self) {
        let rf = if self.is_real() {
            Rflags::empty()
        } else {
            Rflags::RF
        };
        self.deliver_chain(self.fault, rf);
    }

    /// Something was delivered: a wait is over, and the run loop looks at what else is pending.
    pub(crate) fn count_delivery(&mut self) {
        self.deliveries += 1;
        self.trigger_monitor();
    }

    /// Delivers an exception with these flag bits added to the image of the flags, and what comes of it.
    pub(crate) fn deliver_chain(&mut self, first: Fault, added: Rflags) {
        self.count_delivery();
        self.attached.repeating = false;
        let mut current = first;
        let mut added = added;
        for _ in 0..CHAIN_MAX {
            if current.exception == Exception::Debug {
                self.dr7 &= !DR7_GD;
                self.stop_recording();
            } else {
                // A task that cannot be loaded does not come to the trap of its T bit.
                self.pending_debug &= !Dr6::BT.bits();
            }
            let event = Event {
                vector: current.exception.vector(),
                origin: Origin::Exception,
                error: current.exception.has_error_code().then_some(current.code),
                return_rip: self.rip,
                flags: self.flags_image() | added.bits(),
            };
            self.show_delivery(&event);
            if self.deliver_event(&event).is_ok() {
                self.record_delivery(event.return_rip, true);
                return;
            }
            match combine(current, self.fault) {
                Some(next) => current = next,
                None => break,
            }
            added = if self.is_real() {
                Rflags::empty()
            } else {
                Rflags::RF
            };
        }
        self.shut_down();
    }
}

/// What to deliver when delivering `first` raised `second` (SDM vol. 3, table 6-5); `None`: shutdown.
fn combine(first: Fault, second: Fault) -> Option<Fault> {
    let double = Fault::of(Exception::DoubleFault);
    match (first.exception.class(), second.exception.class()) {
        (Class::DoubleFault, _) => None,
        (Class::Contributory, Class::Contributory)
        | (Class::PageFault, Class::Contributory | Class::PageFault) => Some(double),
        _ => Some(second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_combine_as_the_table_says() {
        let pf = Fault::of(Exception::Page);
        let (gp, ud) = (Fault::GP0, Fault::UD);
        let df = Fault::of(Exception::DoubleFault);
        assert_eq!(combine(ud, gp), Some(gp));
        assert_eq!(combine(ud, pf), Some(pf));
        assert_eq!(combine(gp, gp), Some(df));
        assert_eq!(combine(gp, pf), Some(pf));
        assert_eq!(combine(pf, gp), Some(df));
        assert_eq!(combine(pf, pf), Some(df));
        assert_eq!(combine(df, gp), None);
        assert_eq!(combine(df, pf), None);
    }
}
