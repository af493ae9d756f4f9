//! Comparison and classification (SDM vol. 2: FCOM, FUCOM, FICOM, FCOMI, FUCOMI, FTST, FXAM).

use super::stack::{env, finish, pop, underflow};
use super::state::{C0, C1, C2, C3, Fpu};
use crate::softfloat::{Class, F80, Flags, Operand, Relation, compare_ordered, compare_unordered};

/// Whether a quiet NaN is an invalid operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// FCOM: it is.
    Ordered,
    /// FUCOM: it is not.
    Unordered,
}

/// ZF, PF and CF as FCOMI sets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompareFlags {
    /// Equal or unordered.
    pub zf: bool,
    /// Unordered.
    pub pf: bool,
    /// Less or unordered.
    pub cf: bool,
}

/// Compares ST(0) with the operand (none: it is an empty register). Returns what holds, and whether to
/// pop.
fn relate(state: &mut Fpu, other: Option<Operand>, kind: Comparison) -> (Relation, bool) {
    let Some(b) = other.filter(|_| !state.is_empty(0)) else {
        return (Relation::Unordered, underflow(state));
    };
    let a = Operand::from(state.st(0));
    let mut env = env(state);
    let infinite = |o: &Operand| o.class == Class::Infinity;
    let relation =
        if state.projective() && (infinite(&a) || infinite(&b)) && !a.is_nan() && !b.is_nan() {
            // An infinity without sign equals itself and stands in no order to numbers.
            if infinite(&a) && infinite(&b) {
                Relation::Equal
            } else {
                env.raise(Flags::INVALID);
                Relation::Unordered
            }
        } else {
            match kind {
                Comparison::Ordered => compare_ordered(a, b, &mut env),
                Comparison::Unordered => compare_unordered(a, b, &mut env),
            }
        };
    (relation, finish(state, &env))
}

fn register(state: &Fpu, i: u8) -> Option<Operand> {
    (!state.is_empty(i)).then(|| state.st(i).into())
}

fn set_relation(state: &mut Fpu, relation: Relation) {
    let conditions = match relation {
        Relation::Greater => 0,
        Relation::Less => C0,
        Relation::Equal => C3,
        Relation::Unordered => C0 | C2 | C3,
    };
    state.set_conditions(C0 | C2 | C3, conditions);
}

fn compare_operand(state: &mut Fpu, other: Option<Operand>, kind: Comparison, pops: u8) {
    let (relation, delivered) = relate(state, other, kind);
    set_relation(state, relation);
    if delivered {
        for _ in 0..pops {
            pop(state);
        }
    }
}

/// FCOM, FCOMP, FCOMPP, FUCOM, FUCOMP, FUCOMPP: with ST(i), then 0 to 2 pops.
pub fn compare(state: &mut Fpu, i: u8, kind: Comparison, pops: u8) {
    let other = register(state, i);
    compare_operand(state, other, kind, pops);
}

/// FCOM, FCOMP, FICOM, FICOMP with memory.
pub fn compare_memory(state: &mut Fpu, source: impl Into<Operand>, and_pop: bool) {
    compare_operand(
        state,
        Some(source.into()),
        Comparison::Ordered,
        and_pop.into(),
    );
}

/// FTST: with zero.
pub fn test(state: &mut Fpu) {
    compare_operand(state, Some(Operand::zero(false)), Comparison::Ordered, 0);
}

/// FCOMI, FCOMIP, FUCOMI, FUCOMIP. EFLAGS gets the result even if an unmasked exception forbids the pop: so the
/// hardware does, where the manual says otherwise.
pub fn compare_to_eflags(state: &mut Fpu, i: u8, kind: Comparison, and_pop: bool) -> CompareFlags {
    let other = register(state, i);
    let c1 = state.status & C1;
    let stack_fault = state.is_empty(0) || other.is_none();
    let (relation, delivered) = relate(state, other, kind);
    if !stack_fault {
        // C1 stays, as on the hardware; the manual says it is cleared.
        state.set_conditions(C1, c1);
    }
    if delivered && and_pop {
        pop(state);
    }
    let unordered = relation == Relation::Unordered;
    CompareFlags {
        zf: unordered || relation == Relation::Equal,
        pf: unordered,
        cf: unordered || relation == Relation::Less,
    }
}

/// FXAM: C3, C2, C0 tell the class, C1 the sign, of an empty register too.
pub fn examine(state: &mut Fpu) {
    let value = state.st(0);
    let operand = Operand::from(value);
    let class = if state.is_empty(0) {
        C3 | C0
    } else {
        match operand.class {
            Class::Unsupported => 0,
            Class::QuietNan | Class::SignallingNan => C0,
            Class::Infinity => C2 | C0,
            Class::Zero => C3,
            Class::Finite if operand.denormal => C3 | C2,
            Class::Finite => C2,
        }
    };
    let sign = if F80::sign(value) { C1 } else { 0 };
    state.set_conditions(C0 | C1 | C2 | C3, class | sign);
}
