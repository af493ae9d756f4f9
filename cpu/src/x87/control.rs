//! Control instructions (SDM vol. 2: FNINIT, FNCLEX, FLDCW, FINCSTP, FDECSTP, FFREE; 8087: FENI, FDISI).

use super::stack::pop;
use super::state::{C1, EXCEPTIONS, Fpu, Generation, INTERRUPT_MASK, STACK_FAULT};

/// FNINIT. The data registers keep their contents.
pub fn init(state: &mut Fpu) {
    state.unsettle();
    state.control = match state.generation {
        Generation::I8087 | Generation::I80287 => 0x03FF,
        Generation::I80387 => 0x037F,
    };
    state.status = 0;
    state.top = 0;
    state.occupied = 0;
    state.fip = 0;
    state.fcs = 0;
    state.fdp = 0;
    state.fds = 0;
    state.fop = 0;
}

/// FNCLEX.
pub fn clear_exceptions(state: &mut Fpu) {
    state.status &= !(EXCEPTIONS | STACK_FAULT);
}

/// FLDCW. A flagged exception that it unmasks becomes pending.
pub fn load_control(state: &mut Fpu, word: u16) {
    state.set_control_word(word);
}

/// FINCSTP.
pub fn increment_top(state: &mut Fpu) {
    state.rotate(1);
    state.set_conditions(C1, 0);
}

/// FDECSTP.
pub fn decrement_top(state: &mut Fpu) {
    state.rotate(7);
    state.set_conditions(C1, 0);
}

/// FFREE ST(i).
pub fn free(state: &mut Fpu, i: u8) {
    state.free(i);
    state.set_conditions(C1, 0);
}

/// FFREEP ST(i): undocumented DF C0+i.
pub fn free_and_pop(state: &mut Fpu, i: u8) {
    free(state, i);
    pop(state);
}

/// FNENI and FNDISI: the 8087's interrupt-enable mask. Later parts execute them as FNOP.
pub fn set_interrupts(state: &mut Fpu, enabled: bool) {
    if state.generation == Generation::I8087 {
        if enabled {
            state.control &= !INTERRUPT_MASK;
        } else {
            state.control |= INTERRUPT_MASK;
        }
    }
}

/// Whether the part asks for an interrupt: an unmasked exception is pending, and on the 8087 interrupts are enabled.
pub fn interrupt_requested(state: &Fpu) -> bool {
    let enabled = state.generation != Generation::I8087 || state.control & INTERRUPT_MASK == 0;
    enabled && state.exception_pending()
}
