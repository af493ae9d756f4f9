//! INT n, INT3, INT1, INTO and BOUND (SDM vol. 2, "INT n/INTO/INT3/INT1", "BOUND"; vol. 3, section 6.12).

use super::condition::{BR, Condition, DB, GP, NP, OF, SS, UD};
use super::segments::PROTECTED;
use super::stage::*;
use super::transfers::{gated, inner_stack};
use emu_core::x86::{Cr4, Gpr, Rflags};

/// The vector that is used, and the error code that names its gate (SDM vol. 3, section 6.13: IDT is bit 1).
const VECTOR: u64 = 0x40;
const NAMED: u32 = 0x40 * 8 + 2;
const INT: [u8; 2] = [0xCD, 0x40];

pub fn conditions() -> Vec<Condition> {
    let mut all = Vec::new();
    for mode in PROTECTED {
        gates(&mut all, mode);
    }
    virtual_8086(&mut all);
    let beyond = Condition::new("int", Mode::Real, 0, "vector beyond the IDT", &INT);
    let beyond = beyond.with(|s| s.state.idtr.limit = VECTOR as u16 * 4 + 2);
    all.push(beyond.faults(GP, 0u32));
    others(&mut all);
    all
}

/// The gate of the vector.
fn gate_to(selector: u16, access: u8) -> impl Fn(&mut Stage) {
    move |s| s.write_gate(VECTOR, selector, access)
}

fn gates(all: &mut Vec<Condition>, mode: Mode) {
    let case = |ring: u8, what: &str| Condition::new("int", mode, ring, what, &INT);
    let open = INTERRUPT_GATE | DPL_3;
    let (inner, outer) = (gated(mode, 0), gated(mode, 3));
    let size = if mode.is_long() { 16 } else { 8 };
    let cut = move |s: &mut Stage| s.state.idtr.limit = VECTOR as u16 * size + size - 2;
    all.push(case(0, "vector beyond the IDT").with(cut).faults(GP, NAMED));
    all.push(case(3, "CPL above the gate's DPL").faults(GP, NAMED));
    let absent = gate_to(inner, open & !PRESENT);
    all.push(
        case(3, "gate is not present")
            .with(absent)
            .faults(NP, NAMED),
    );
    for (what, access) in [
        ("gate is a call gate", 0x8C),
        ("gate is a data segment", 0x92),
        ("gate is of type 0", 0x80),
    ] {
        all.push(
            case(3, what)
                .with(gate_to(inner, access | DPL_3))
                .faults(GP, NAMED),
        );
    }
    if mode.is_long() {
        for (what, access) in [
            ("gate is a task gate", TASK_GATE),
            ("gate is of 16 bits", 0x86),
        ] {
            all.push(
                case(3, what)
                    .with(gate_to(inner, access | DPL_3))
                    .faults(GP, NAMED),
            );
        }
        let narrow = gate_to(CODE_32, open);
        all.push(
            case(3, "code is not of 64 bits")
                .with(narrow)
                .faults(GP, CODE_32),
        );
        let high = |s: &mut Stage| s.write64(IDT + 16 * VECTOR + 8, 0x8000_0000);
        let far = case(3, "offset is not canonical")
            .with(gate_to(inner, open))
            .with(high);
        all.push(far.faults(GP, 0u32));
        let table = |s: &mut Stage| {
            s.write8(IDT + 16 * VECTOR + 4, 1);
            s.write64(TSS + 0x24, 1 << 63);
        };
        let far = case(3, "stack of the IST is not canonical")
            .with(gate_to(inner, open))
            .with(table);
        all.push(far.faults(SS, 0u32));
    } else {
        let task = |what: &'static str, selector: u16| {
            case(3, what)
                .with(gate_to(selector, TASK_GATE | DPL_3))
                .faults(GP, selector)
        };
        all.push(task("task gate to a busy task", MAIN_TASK));
        all.push(task("task gate to a data segment", DATA_0));
        all.push(task("task gate to a local selector", 4));
        let gone = |s: &mut Stage| s.entry(OWN, descriptor(OTHER_TSS, 0x67, 0x09, 0));
        let to_own = gate_to(OWN, TASK_GATE | DPL_3);
        let case = case(3, "task gate to a task that is not present")
            .with(gone)
            .with(to_own);
        all.push(case.faults(NP, OWN));
    }
    all.push(
        case(3, "selector is null")
            .with(gate_to(0, open))
            .faults(GP, 0u32),
    );
    all.push(
        case(3, "selector is beyond the GDT")
            .with(gate_to(BEYOND, open))
            .faults(GP, BEYOND),
    );
    all.push(
        case(3, "selector is of a data segment")
            .with(gate_to(DATA_0, open))
            .faults(GP, DATA_0),
    );
    let down = gate_to(outer, open);
    all.push(
        case(0, "code of DPL above CPL")
            .with(down)
            .faults(GP, outer & !3),
    );
    let absent = |s: &mut Stage| {
        let flags = if s.mode.is_long() { 0xA } else { 0xC };
        s.entry(
            OWN,
            descriptor(0, 0xF_FFFF, CODE_READABLE & !PRESENT, flags),
        );
    };
    let case_absent = case(3, "code is not present")
        .with(absent)
        .with(gate_to(OWN, open));
    all.push(case_absent.faults(NP, OWN));
    inner_stack(all, mode, |what| {
        // The handler of ring 1 cannot halt: its breakpoint is what ends the case that completes.
        let breakpoint = |s: &mut Stage| s.write8(HANDLERS + 16 * VECTOR, 0xCC);
        case(3, what).with(gate_to(OWN_2, open)).with(breakpoint)
    });
}

fn virtual_8086(all: &mut Vec<Condition>) {
    let case = |what: &str| Condition::new("int", Mode::Virtual8086, 3, what, &INT);
    let iopl_3 = |s: &mut Stage| s.state.rflags |= Rflags::IOPL;
    let vme = |s: &mut Stage| s.state.cr4 |= Cr4::VME;
    all.push(case("IOPL below 3").faults(GP, 0u32));
    all.push(
        case("IOPL below 3, CR4.VME is 1, not redirected")
            .with(vme)
            .faults(GP, 0u32),
    );
    let redirected = |s: &mut Stage| {
        s.write8(TSS + IO_MAP - 32 + VECTOR / 8, 0xFE);
        s.write16(4 * VECTOR, super::transfers::TARGET as u16);
    };
    all.push(
        case("IOPL below 3, CR4.VME is 1, redirected")
            .with(vme)
            .with(redirected),
    );
    let closed = case("IOPL is 3, CPL above the gate's DPL").with(iopl_3);
    all.push(closed.faults(GP, NAMED));
    let open = INTERRUPT_GATE | DPL_3;
    let outer = case("IOPL is 3, code of a DPL that is not 0").with(iopl_3);
    all.push(
        outer
            .with(gate_to(CODE_32_3, open))
            .faults(GP, CODE_32_3 & !3),
    );
    let conforming = |s: &mut Stage| s.entry(OWN, descriptor(0, 0xF_FFFF, CODE_CONFORMING, 0xC));
    let case = case("IOPL is 3, code is conforming")
        .with(iopl_3)
        .with(conforming);
    all.push(case.with(gate_to(OWN, open)).faults(GP, OWN));
}

fn others(all: &mut Vec<Condition>) {
    for mode in Mode::ALL {
        let case = |name, what: &str, bytes: &[u8]| Condition::new(name, mode, 3, what, bytes);
        let overflow = |s: &mut Stage| s.state.rflags |= Rflags::OF;
        for (name, bytes) in [
            ("int", &[0xF0u8, 0xCD, 0x40][..]),
            ("int3", &[0xF0, 0xCC]),
            ("int1", &[0xF0, 0xF1]),
        ] {
            all.push(case(name, "LOCK prefix", bytes).faults(UD, 0u32));
        }
        all.push(case("int1", "always", &[0xF1]).traps(DB));
        if mode == Mode::Bits64 {
            all.push(case("into", "not in 64-bit mode", &[0xCE]).faults(UD, 0u32));
        } else {
            all.push(case("into", "OF is 0", &[0xCE]));
            all.push(case("into", "OF is 1", &[0xCE]).with(overflow).traps(OF));
            all.push(case("into", "LOCK prefix", &[0xF0, 0xCE]).faults(UD, 0u32));
            let index = |n: u64| {
                move |s: &mut Stage| {
                    s.state.gpr[Gpr::Rax as usize] = n;
                    s.write_slot(DATA, 5);
                    s.write_slot(DATA + if s.mode.is_8086() { 2 } else { 4 }, 7);
                }
            };
            let bound = |what: &str, n| case("bound", what, &[0x62, 0x07]).with(index(n));
            all.push(bound("index is within", 7));
            all.push(bound("index below the lower bound", 4).faults(BR, 0u32));
            all.push(bound("index above the upper bound", 8).faults(BR, 0u32));
            all.push(bound("index is negative", u64::from(u32::MAX)).faults(BR, 0u32));
        }
        if mode == Mode::Real {
            continue;
        }
        let closed = |vector: u64| {
            move |s: &mut Stage| {
                let code = gated(s.mode, 0);
                s.write_gate(vector, code, INTERRUPT_GATE);
            }
        };
        let int3 = case("int3", "CPL above the gate's DPL", &[0xCC]).with(closed(3));
        all.push(int3.faults(GP, 3u32 * 8 + 2));
        if mode != Mode::Bits64 {
            let into = case("into", "OF is 1, CPL above the gate's DPL", &[0xCE]);
            all.push(into.with(overflow).with(closed(4)).faults(GP, 4u32 * 8 + 2));
        }
        // INT1 is no software interrupt: the gate's DPL does not count (SDM vol. 2, "INT n", "INT1").
        let int1 = case("int1", "CPL above the gate's DPL: ignored", &[0xF1]).with(closed(1));
        all.push(int1.traps(DB));
    }
}
