//! The transcendental instructions on the stack (SDM vol. 2: F2XM1, FYL2X, FYL2XP1, FSIN, FCOS, FSINCOS, FPTAN,
//! FPATAN). FSIN, FCOS and FSINCOS came with the 80387; the wider ranges of the others too.

use super::stack::{env, finish, overflow, pop, push, underflow};
use super::state::{C1, C2, Fpu};
use crate::softfloat::{self as sf, Class, F80, FloatEnv, Operand, Trigonometric};

/// Notes whether the angle was out of range, and then clears C1 as well.
fn set_c2<T>(state: &mut Fpu, result: &Trigonometric<T>) {
    match result {
        Trigonometric::OutOfRange => state.set_conditions(C1 | C2, C2),
        Trigonometric::Complete(_) => state.set_conditions(C2, 0),
    }
}

/// FSIN and FCOS: the function of ST(0) replaces it.
fn of_angle(state: &mut Fpu, function: fn(F80, &mut FloatEnv) -> Trigonometric<F80>) {
    if state.is_empty(0) {
        if underflow(state) {
            state.set_st(0, F80::INDEFINITE);
        }
        state.set_conditions(C2, 0);
        return;
    }
    let mut env = env(state);
    let result = function(state.st(0), &mut env);
    let delivered = finish(state, &env);
    set_c2(state, &result);
    if let (true, Trigonometric::Complete(value)) = (delivered, result) {
        state.set_st(0, value);
    }
}

/// FSIN.
pub fn sine(state: &mut Fpu) {
    of_angle(state, sf::sine);
}

/// FCOS.
pub fn cosine(state: &mut Fpu) {
    of_angle(state, sf::cosine);
}

/// FSINCOS and FPTAN: a first value replaces ST(0), a second is pushed.
fn pair_of_angle(state: &mut Fpu, function: fn(F80, &mut FloatEnv) -> Trigonometric<(F80, F80)>) {
    let fault = if state.is_empty(0) {
        Some(underflow(state))
    } else if !state.is_empty(7) {
        Some(overflow(state))
    } else {
        None
    };
    let (result, delivered) = match fault {
        Some(delivered) => (
            Trigonometric::Complete((F80::INDEFINITE, F80::INDEFINITE)),
            delivered,
        ),
        None => {
            let mut env = env(state);
            let result = function(state.st(0), &mut env);
            (result, finish(state, &env))
        }
    };
    set_c2(state, &result);
    if let (true, Trigonometric::Complete((first, second))) = (delivered, result) {
        state.set_st(0, first);
        push(state, second);
    }
}

/// FSINCOS: the sine replaces ST(0), the cosine is pushed.
pub fn sine_cosine(state: &mut Fpu) {
    pair_of_angle(state, sf::sine_cosine);
}

/// FPTAN: the tangent replaces ST(0), 1 is pushed; of a NaN both are that NaN.
pub fn tangent(state: &mut Fpu) {
    pair_of_angle(state, |a, env| match sf::tangent(a, env) {
        Trigonometric::OutOfRange => Trigonometric::OutOfRange,
        Trigonometric::Complete(t) => {
            let nan = Operand::from(t).class == Class::QuietNan;
            Trigonometric::Complete((t, if nan { t } else { F80::ONE }))
        }
    });
}

/// F2XM1.
pub fn two_to_the_power_minus_one(state: &mut Fpu) {
    if state.is_empty(0) {
        if underflow(state) {
            state.set_st(0, F80::INDEFINITE);
        }
        return;
    }
    let mut env = env(state);
    let result = sf::two_to_the_power_minus_one(state.st(0), &mut env);
    if finish(state, &env) {
        state.set_st(0, result);
    }
}

/// FPATAN, FYL2X, FYL2XP1: a function of ST(1) and ST(0) replaces ST(1), and ST(0) is popped.
fn of_two(state: &mut Fpu, function: fn(F80, F80, &mut FloatEnv) -> F80) {
    let (result, delivered) = if state.is_empty(0) || state.is_empty(1) {
        (F80::INDEFINITE, underflow(state))
    } else {
        let mut env = env(state);
        let result = function(state.st(1), state.st(0), &mut env);
        (result, finish(state, &env))
    };
    if delivered {
        state.set_st(1, result);
        pop(state);
    }
}

/// FPATAN.
pub fn arc_tangent(state: &mut Fpu) {
    of_two(state, sf::arc_tangent);
}

/// FYL2X.
pub fn logarithm(state: &mut Fpu) {
    of_two(state, sf::logarithm);
}

/// FYL2XP1.
pub fn logarithm_plus_one(state: &mut Fpu) {
    of_two(state, sf::logarithm_plus_one);
}
