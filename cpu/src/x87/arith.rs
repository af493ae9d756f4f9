//! Arithmetic on the stack (SDM vol. 2: FADD, FSUB, FSUBR, FMUL, FDIV, FDIVR in all forms; FSQRT, FRNDINT, FSCALE,
//! FXTRACT, FPREM, FPREM1, FABS, FCHS).

use super::stack::{env, finish, overflow, pop, push, underflow};
use super::state::{C0, C1, C2, C3, Fpu};
use crate::softfloat::{self as sf, Class, F80, Float, FloatEnv, Operand, RemainderKind};

/// The six operations, `destination` first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `destination + source`
    Add,
    /// `destination * source`
    Mul,
    /// `destination - source`
    Sub,
    /// `source - destination`
    SubReverse,
    /// `destination / source`
    Div,
    /// `source / destination`
    DivReverse,
}

/// Without signs two infinities have no sum (8087 data sheet, infinity control).
fn sum_of_unsigned_infinities(a: &Operand, b: &Operand) -> bool {
    a.class == Class::Infinity && b.class == Class::Infinity
}

fn compute(projective: bool, op: Operation, a: Operand, b: Operand, env: &mut FloatEnv) -> F80 {
    match op {
        Operation::Add | Operation::Sub | Operation::SubReverse
            if projective && sum_of_unsigned_infinities(&a, &b) =>
        {
            F80::invalid(env)
        }
        Operation::Add => sf::add(a, b, env),
        Operation::Mul => sf::mul(a, b, env),
        Operation::Sub => sf::sub(a, b, env),
        Operation::SubReverse => sf::sub(b, a, env),
        Operation::Div => sf::div(a, b, env),
        Operation::DivReverse => sf::div(b, a, env),
    }
}

/// `ST(destination) = ST(destination) op ST(source)`, then pops if asked to.
pub fn arithmetic(state: &mut Fpu, op: Operation, destination: u8, source: u8, and_pop: bool) {
    let (result, delivered) = if state.is_empty(destination) || state.is_empty(source) {
        (F80::INDEFINITE, underflow(state))
    } else {
        let mut env = env(state);
        let a = state.st(destination).into();
        let b = state.st(source).into();
        let result = compute(state.projective(), op, a, b, &mut env);
        (result, finish(state, &env))
    };
    if delivered {
        state.set_st(destination, result);
        if and_pop {
            pop(state);
        }
    }
}

/// `ST(0) = ST(0) op source`, the source from memory: a float of 32 or 64 bits, an integer of 16 or 32.
pub fn arithmetic_memory(state: &mut Fpu, op: Operation, source: impl Into<Operand>) {
    unary(state, |projective, a, env| {
        compute(projective, op, a.into(), source.into(), env)
    });
}

fn unary(state: &mut Fpu, operation: impl FnOnce(bool, F80, &mut FloatEnv) -> F80) {
    let (result, delivered) = if state.is_empty(0) {
        (F80::INDEFINITE, underflow(state))
    } else {
        let mut env = env(state);
        let result = operation(state.projective(), state.st(0), &mut env);
        (result, finish(state, &env))
    };
    if delivered {
        state.set_st(0, result);
    }
}

/// FSQRT.
pub fn square_root(state: &mut Fpu) {
    unary(state, |projective, a, env| {
        if projective && Operand::from(a).class == Class::Infinity {
            return F80::invalid(env);
        }
        sf::sqrt(a, env)
    });
}

/// FRNDINT.
pub fn round_to_integral(state: &mut Fpu) {
    unary(state, |_, a, env| sf::round_to_integral(a, env));
}

/// FABS.
pub fn absolute(state: &mut Fpu) {
    unary(state, |_, a, _| a.abs());
}

/// FCHS.
pub fn change_sign(state: &mut Fpu) {
    unary(state, |_, a, _| a.negate());
}

/// FSCALE.
pub fn scale(state: &mut Fpu) {
    if state.is_empty(1) {
        if underflow(state) {
            state.set_st(0, F80::INDEFINITE);
        }
        return;
    }
    let by = state.st(1);
    unary(state, |_, a, env| sf::scale(a, by, env));
}

/// FPREM and FPREM1.
pub fn remainder(state: &mut Fpu, kind: RemainderKind) {
    if state.is_empty(0) || state.is_empty(1) {
        if underflow(state) {
            state.set_st(0, F80::INDEFINITE);
        }
        state.set_conditions(C2, 0);
        return;
    }
    let mut env = env(state);
    let result = sf::remainder(state.st(0), state.st(1), kind, &mut env);
    let delivered = finish(state, &env);
    state.set_conditions(C2, if result.partial { C2 } else { 0 });
    if let Some(quotient) = result.quotient {
        let mut conditions = 0;
        for (bit, condition) in [(0, C1), (1, C3), (2, C0)] {
            if quotient >> bit & 1 != 0 {
                conditions |= condition;
            }
        }
        state.set_conditions(C0 | C1 | C3, conditions);
    }
    if delivered {
        state.set_st(0, result.value);
    }
}

/// FXTRACT: the exponent replaces ST(0), the significand is pushed.
pub fn extract(state: &mut Fpu) {
    let fault = if state.is_empty(0) {
        Some(underflow(state))
    } else if !state.is_empty(7) {
        Some(overflow(state))
    } else {
        None
    };
    let (significand, exponent, delivered) = match fault {
        Some(delivered) => (F80::INDEFINITE, F80::INDEFINITE, delivered),
        None => {
            let mut env = env(state);
            let (significand, exponent) = sf::extract(state.st(0), &mut env);
            (significand, exponent, finish(state, &env))
        }
    };
    if delivered {
        state.set_st(0, exponent);
        push(state, significand);
    }
}
