//! Stack faults and the delivery of results (SDM vol. 1, sections 8.5.1.1 and 8.7).

use super::state::{C1, Fpu, STACK_FAULT};
use crate::softfloat::{F80, Flags, FloatEnv};

/// The environment for one operation.
pub(super) fn env(state: &Fpu) -> FloatEnv {
    FloatEnv {
        leaves_unrounded: !state.amd,
        ..FloatEnv::x87(state.control)
    }
}

/// Takes over flags and C1; whether the result is to be delivered.
pub(super) fn finish(state: &mut Fpu, env: &FloatEnv) -> bool {
    state.raise(env.flags);
    state.set_conditions(C1, if env.rounded_up { C1 } else { 0 });
    !env.suppresses_result()
}

/// An operand register is empty; whether the masked response is to be delivered.
pub(super) fn underflow(state: &mut Fpu) -> bool {
    fault(state, 0)
}

/// A push finds its register occupied; whether the masked response is to be delivered.
pub(super) fn overflow(state: &mut Fpu) -> bool {
    fault(state, C1)
}

fn fault(state: &mut Fpu, c1: u16) -> bool {
    state.raise(Flags::INVALID);
    state.status |= STACK_FAULT;
    state.set_conditions(C1, c1);
    state.is_masked(Flags::INVALID)
}

/// Pops.
pub(super) fn pop(state: &mut Fpu) {
    state.free(0);
    state.rotate(1);
}

/// Pushes without looking.
pub(super) fn push(state: &mut Fpu, value: F80) {
    state.rotate(7);
    state.set_st(0, value);
}
