//! Far CALL, JMP and RET, IRET, task switches, SYSENTER, SYSCALL and what returns from them (SDM vol. 2 under each name;
//! vol. 3, sections 5.8 and 7.3).

use super::condition::{AC, Condition, GP, NP, SS, TS, UD};
use super::instructions::far_pointer;
use super::segments::PROTECTED;
use super::stage::*;
use emu_core::x86::{Cr0, Efer, Gpr, Rflags, Seg};

/// Where transfers lead: breakpoints.
pub const TARGET: u64 = CODE + 0x400;
const NON_CANONICAL: u64 = 1 << 63;
/// A task that handles exceptions of another.
const HANDLER_TSS: u64 = 0x3C00;

pub fn conditions() -> Vec<Condition> {
    let mut all = Vec::new();
    for (name, modrm, opcode) in [("call far", 0x1F, 0x9A), ("jmp far", 0x2F, 0xEA)] {
        direct(&mut all, name, opcode);
        for mode in PROTECTED {
            segments(&mut all, name, modrm, mode);
            gates(&mut all, name, modrm, mode);
        }
        tasks(&mut all, name, modrm);
        new_task(&mut all, name, modrm);
    }
    for mode in PROTECTED {
        for name in ["ret far", "iret"] {
            same_level(&mut all, name, mode);
            outer_level(&mut all, name, mode);
        }
    }
    special_returns(&mut all);
    fast(&mut all);
    for mode in PROTECTED {
        for name in ["call far", "ret far", "iret"] {
            let what = "the shadow stack does not match or is misaligned";
            all.push(Condition::left_out(name, mode, what, "no model has CET"));
        }
    }
    all
}

/// The code segment of the mode for a level.
pub fn code(mode: Mode, ring: u8) -> u16 {
    match (mode, ring) {
        (Mode::Bits64, 0) => CODE_64,
        (Mode::Bits64, _) => CODE_64_3,
        (_, 0) => CODE_32,
        _ => CODE_32_3,
    }
}

/// G and D, or L for 64-bit code.
fn code_flags(mode: Mode) -> u8 {
    if mode == Mode::Bits64 { 0xA } else { 0xC }
}

/// A code segment of the mode.
fn code_entry(selector: u16, access: u8) -> impl Fn(&mut Stage) {
    move |s| {
        s.entry(
            selector,
            descriptor(0, 0xF_FFFF, access, code_flags(s.mode)),
        )
    }
}

fn direct(all: &mut Vec<Condition>, name: &'static str, opcode: u8) {
    for mode in Mode::ALL {
        let selector = match mode {
            Mode::Real | Mode::Virtual8086 => 0,
            _ => code(mode, 3),
        };
        let [t0, t1, t2, t3] = (TARGET as u32).to_le_bytes();
        let [s0, s1] = selector.to_le_bytes();
        let bytes = if mode.is_8086() {
            vec![opcode, t0, t1, s0, s1]
        } else {
            vec![opcode, t0, t1, t2, t3, s0, s1]
        };
        let case = Condition::new(name, mode, 3, "direct", &bytes);
        all.push(if mode == Mode::Bits64 {
            case.faults(UD, 0u32)
        } else {
            case
        });
        let locked = [&[0xF0][..], &bytes].concat();
        let case = Condition::new(name, mode, 3, "LOCK prefix, direct", &locked);
        all.push(case.faults(UD, 0u32));
    }
}

/// A transfer to a segment.
fn segments(all: &mut Vec<Condition>, name: &'static str, modrm: u8, mode: Mode) {
    let case = |ring: u8, what: &str, selector: u16| {
        let case = Condition::new(name, mode, ring, what, &[0xFF, modrm]);
        case.with(move |s| far_pointer(s, DATA, TARGET, selector))
    };
    all.push(case(3, "selector is null", 3).faults(GP, 0u32));
    all.push(case(3, "selector beyond the GDT", BEYOND | 3).faults(GP, BEYOND));
    all.push(case(3, "selector beyond the LDT", 0x80 | 7).faults(GP, 0x84u32));
    all.push(case(3, "descriptor is a data segment's", DATA_3).faults(GP, DATA_3 & !3));
    all.push(case(3, "descriptor is an LDT's", LOCAL_TABLE).faults(GP, LOCAL_TABLE));
    let inner = code(mode, 0);
    all.push(case(3, "nonconforming code, DPL is not CPL", inner | 3).faults(GP, inner));
    all.push(case(0, "nonconforming code, RPL above CPL", inner | 3).faults(GP, inner));
    let conforming = code_entry(OWN, CODE_CONFORMING | DPL_3);
    all.push(
        case(0, "conforming code, DPL above CPL", OWN)
            .with(conforming)
            .faults(GP, OWN),
    );
    let conforming = code_entry(OWN, CODE_CONFORMING);
    all.push(case(3, "conforming code, DPL below CPL", OWN | 3).with(conforming));
    let absent = code_entry(OWN, (CODE_READABLE | DPL_3) & !PRESENT);
    all.push(
        case(3, "segment is not present", OWN | 3)
            .with(absent)
            .faults(NP, OWN),
    );
    let short = |s: &mut Stage| s.entry(OWN, descriptor(0, 0xFFF, CODE_READABLE | DPL_3, 4));
    all.push(
        case(3, "offset beyond the new limit", OWN | 3)
            .with(short)
            .faults(GP, 0u32),
    );
    if mode.is_long() {
        let both =
            |s: &mut Stage| s.entry(OWN, descriptor(0, 0xF_FFFF, CODE_READABLE | DPL_3, 0xE));
        all.push(
            case(3, "segment has L and D", OWN | 3)
                .with(both)
                .faults(GP, OWN),
        );
    }
    if mode == Mode::Bits64 {
        let wide = Condition::new(
            name,
            mode,
            3,
            "offset is not canonical",
            &[0x48, 0xFF, modrm],
        );
        let wide = wide.with(|s| {
            s.write64(DATA, NON_CANONICAL);
            s.write16(DATA + 8, CODE_64_3);
        });
        all.push(wide.faults(GP, 0u32));
    }
    if name == "call far" {
        let case = |what: &str| case(3, what, code(mode, 3));
        pushing(all, mode, case);
    }
}

/// The stack on which a return address is pushed.
fn pushing(all: &mut Vec<Condition>, mode: Mode, case: impl Fn(&str) -> Condition) {
    // Far calls push dwords in 64-bit mode too, unless REX.W says otherwise.
    let slot = 4;
    let absent = |s: &mut Stage| s.state.gpr[Gpr::Rsp as usize] = ABSENT + 0x10;
    let page = case("page of the stack is not present").with(absent);
    all.push(page.faults_on_page(ABSENT + 0x10 - slot, 6));
    if mode == Mode::Bits64 {
        let far = |s: &mut Stage| s.state.gpr[Gpr::Rsp as usize] = NON_CANONICAL;
        all.push(case("RSP is not canonical").with(far).faults(SS, 0u32));
    } else {
        let short = |s: &mut Stage| s.state.segments[Seg::Ss as usize].limit = 0x7000;
        all.push(
            case("the stack beyond the limit")
                .with(short)
                .faults(SS, 0u32),
        );
    }
}

/// A call gate as the stage's own descriptor.
fn call_gate(selector: u16, access: u8) -> impl Fn(&mut Stage) {
    move |s| {
        s.entry(OWN, gate(selector, TARGET, access));
        if s.mode.is_long() {
            s.write64(GDT + u64::from(OWN) + 8, 0);
        }
    }
}

/// The code segment that gates of a mode lead to, for a level: IA-32e mode's are all of 64 bits.
pub fn gated(mode: Mode, ring: u8) -> u16 {
    code(if mode.is_long() { Mode::Bits64 } else { mode }, ring)
}

fn gates(all: &mut Vec<Condition>, name: &'static str, modrm: u8, mode: Mode) {
    let case = |ring: u8, what: &str, selector: u16| {
        let case = Condition::new(name, mode, ring, what, &[0xFF, modrm]);
        case.with(move |s| far_pointer(s, DATA, 0, selector))
    };
    let open = CALL_GATE | DPL_3;
    let (inner, outer) = (gated(mode, 0), gated(mode, 3));
    let closed = call_gate(outer, CALL_GATE);
    all.push(
        case(3, "call gate: CPL above its DPL", OWN | 3)
            .with(closed)
            .faults(GP, OWN),
    );
    let closed = call_gate(inner, CALL_GATE);
    all.push(
        case(0, "call gate: RPL above its DPL", OWN | 3)
            .with(closed)
            .faults(GP, OWN),
    );
    let absent = call_gate(outer, open & !PRESENT);
    all.push(
        case(3, "call gate: not present", OWN | 3)
            .with(absent)
            .faults(NP, OWN),
    );
    let null = call_gate(0, open);
    all.push(
        case(3, "call gate: its selector is null", OWN | 3)
            .with(null)
            .faults(GP, 0u32),
    );
    let beyond = call_gate(BEYOND, open);
    let far = case(3, "call gate: its selector is beyond the GDT", OWN | 3);
    all.push(far.with(beyond).faults(GP, BEYOND));
    let data = call_gate(DATA_0, open);
    let far = case(3, "call gate: to a data segment", OWN | 3);
    all.push(far.with(data).faults(GP, DATA_0));
    let down = call_gate(outer, open);
    let far = case(0, "call gate: to code of DPL above CPL", OWN);
    all.push(far.with(down).faults(GP, outer & !3));
    let to_own = |access: u8| {
        move |s: &mut Stage| {
            let flags = if s.mode.is_long() { 0xA } else { 0xC };
            s.entry(OWN_2, descriptor(0, 0xF_FFFF, access, flags));
        }
    };
    let gone = to_own(CODE_READABLE & !PRESENT);
    let far = case(3, "call gate: its code is not present", OWN | 3);
    // JMP is not allowed to go to DPL 0 at all, and that is checked first.
    let jump = name == "jmp far";
    let far = far.with(call_gate(OWN_2, open)).with(gone);
    all.push(if jump {
        far.faults(GP, OWN_2)
    } else {
        far.faults(NP, OWN_2)
    });
    if mode.is_long() {
        let narrow = call_gate(CODE_32_3, open);
        let far = case(3, "call gate: to code that is not of 64 bits", OWN | 3);
        all.push(far.with(narrow).faults(GP, CODE_32_3 & !3));
        let upper = |s: &mut Stage| s.write64(GDT + u64::from(OWN) + 8, 0x0100_0000_0000);
        let far = case(3, "call gate: its upper half has a type", OWN | 3);
        all.push(far.with(call_gate(outer, open)).with(upper).faults(GP, OWN));
        let high = |s: &mut Stage| s.write64(GDT + u64::from(OWN) + 8, 0x8000_0000);
        let far = case(3, "call gate: its offset is not canonical", OWN | 3);
        all.push(far.with(call_gate(outer, open)).with(high).faults(GP, 0u32));
    } else {
        let short = |s: &mut Stage| s.entry(OWN_2, descriptor(0, 0xFFF, CODE_READABLE | DPL_3, 4));
        let far = case(3, "call gate: its offset is beyond the new limit", OWN | 3);
        all.push(
            far.with(call_gate(OWN_2, open))
                .with(short)
                .faults(GP, 0u32),
        );
    }
    all.push(case(3, "call gate: to the same level", OWN | 3).with(call_gate(outer, open)));
    if jump {
        let up = case(
            3,
            "call gate: to nonconforming code of DPL below CPL",
            OWN | 3,
        );
        all.push(up.with(call_gate(inner, open)).faults(GP, inner));
        return;
    }
    all.push(case(3, "call gate: to ring 0", OWN | 3).with(call_gate(inner, open)));
    inner_stack(all, mode, |what| {
        let case = case(3, &format!("call gate: {what}"), OWN | 3);
        case.with(call_gate(OWN_2, open))
    });
}

/// The stack of ring 1, to which a gate leads whose code segment is [`OWN_2`]. Ring 0's stays whole for the handler.
pub fn inner_stack(all: &mut Vec<Condition>, mode: Mode, case: impl Fn(&str) -> Condition) {
    let long = mode.is_long();
    let with_stack = move |access: u8, limit: u32, ss: u16, esp: u64| {
        move |s: &mut Stage| {
            let flags = if long { 0xA } else { 0xC };
            s.entry(OWN_2, descriptor(0, 0xF_FFFF, CODE_READABLE | 0x20, flags));
            s.write64(
                LDT,
                descriptor(0, limit, access, if limit == 0xFFF { 4 } else { 0xC }),
            );
            if long {
                s.write64(TSS + 0xC, esp);
            } else {
                s.write32(TSS + 0xC, esp as u32);
                s.write16(TSS + 0x10, ss);
            }
        }
    };
    let (all_of_it, esp) = (0xF_FFFF, STACK_0 - 0x800);
    let good = DATA_WRITABLE | 0x20;
    all.push(case("to ring 1").with(with_stack(good, all_of_it, 5, esp)));
    let small = |s: &mut Stage| s.state.tr.limit = 0x0F;
    let tss = case("the TSS ends before the inner stack's place");
    let tss = tss.with(with_stack(good, all_of_it, 5, esp)).with(small);
    all.push(tss.faults(TS, MAIN_TASK));
    if long {
        let far = case("the inner RSP is not canonical");
        all.push(
            far.with(with_stack(good, all_of_it, 5, NON_CANONICAL))
                .faults(SS, 0u32),
        );
        return;
    }
    let wrong = [
        ("the inner SS is null", good, 0),
        ("the inner SS is beyond the GDT", good, BEYOND | 1),
        ("the inner SS has another RPL", good, 4),
        ("the inner SS has another DPL", DATA_WRITABLE | DPL_3, 5),
        ("the inner SS is not writable", DATA_READ_ONLY | 0x20, 5),
        ("the inner SS is code", CODE_READABLE | 0x20, 5),
    ];
    for (what, access, ss) in wrong {
        let stack = with_stack(access, all_of_it, ss, esp);
        all.push(case(what).with(stack).faults(TS, ss & !3));
    }
    let absent = with_stack(good & !PRESENT, all_of_it, 5, esp);
    all.push(
        case("the inner SS is not present")
            .with(absent)
            .faults(SS, 4u32),
    );
    let narrow = with_stack(good, 0xFFF, 5, esp);
    all.push(
        case("no room on the inner stack")
            .with(narrow)
            .faults(SS, 4u32),
    );
}

/// Task switches by JMP and CALL: protected mode only.
fn tasks(all: &mut Vec<Condition>, name: &'static str, modrm: u8) {
    for mode in PROTECTED.into_iter().filter(|m| m.is_long()) {
        let case = Condition::new(name, mode, 0, "a task in IA-32e mode", &[0xFF, modrm]);
        let case = case.with(|s| far_pointer(s, DATA, 0, OTHER_TASK));
        all.push(case.faults(GP, OTHER_TASK));
        let case = Condition::new(name, mode, 0, "a task gate in IA-32e mode", &[0xFF, modrm]);
        let case = case.with(|s| {
            s.entry(OWN, gate(OTHER_TASK, 0, TASK_GATE));
            far_pointer(s, DATA, 0, OWN);
        });
        all.push(case.faults(GP, OWN));
    }
    let case = |ring: u8, what: &str, selector: u16| {
        let case = Condition::new(name, Mode::Protected, ring, what, &[0xFF, modrm]);
        case.with(move |s| far_pointer(s, DATA, 0, selector))
    };
    let task = |limit: u32, access: u8| {
        move |s: &mut Stage| s.entry(OWN, descriptor(OTHER_TSS, limit, access, 0))
    };
    all.push(case(0, "task: switched to", OTHER_TASK));
    all.push(case(3, "task: CPL above its DPL", OTHER_TASK).faults(GP, OTHER_TASK));
    all.push(case(0, "task: RPL above its DPL", OTHER_TASK | 3).faults(GP, OTHER_TASK));
    all.push(case(0, "task: busy", MAIN_TASK).faults(GP, MAIN_TASK));
    let absent = task(0x67, TASK_AVAILABLE & !PRESENT);
    all.push(
        case(0, "task: not present", OWN)
            .with(absent)
            .faults(NP, OWN),
    );
    let short = task(0x66, TASK_AVAILABLE);
    all.push(
        case(0, "task: its limit is below 67h", OWN)
            .with(short)
            .faults(TS, OWN),
    );
    let local = |s: &mut Stage| s.write64(LDT, descriptor(OTHER_TSS, 0x67, TASK_AVAILABLE, 0));
    all.push(case(0, "task: in the LDT", 4).with(local).faults(GP, 4u32));
    let task_gate =
        |selector: u16, access: u8| move |s: &mut Stage| s.entry(OWN, gate(selector, 0, access));
    let through = |ring, what: &str, rpl: u16| case(ring, &format!("task gate: {what}"), OWN | rpl);
    let open = TASK_GATE | DPL_3;
    all.push(through(3, "switched to", 3).with(task_gate(OTHER_TASK, open)));
    let closed = task_gate(OTHER_TASK, TASK_GATE);
    all.push(
        through(3, "CPL above its DPL", 0)
            .with(closed)
            .faults(GP, OWN),
    );
    let closed = task_gate(OTHER_TASK, TASK_GATE);
    all.push(
        through(0, "RPL above its DPL", 3)
            .with(closed)
            .faults(GP, OWN),
    );
    let absent = task_gate(OTHER_TASK, open & !PRESENT);
    all.push(through(3, "not present", 3).with(absent).faults(NP, OWN));
    for (what, selector) in [
        ("its selector is null", 0u16),
        ("its selector is beyond the GDT", BEYOND),
        ("to a data segment", DATA_0),
        ("to a busy task", MAIN_TASK),
        ("its selector is local", 4),
    ] {
        let wrong = task_gate(selector, open);
        all.push(
            through(3, what, 3)
                .with(local)
                .with(wrong)
                .faults(GP, selector),
        );
    }
    let gone = |s: &mut Stage| {
        s.entry(
            OWN_2,
            descriptor(OTHER_TSS, 0x67, TASK_AVAILABLE & !PRESENT, 0),
        );
    };
    let case = through(3, "its task is not present", 3).with(gone);
    all.push(case.with(task_gate(OWN_2, open)).faults(NP, OWN_2));
}

/// What is wrong with a task's own segments comes up in that task (SDM vol. 3, table 7-1). A third task handles it: the
/// new one may have no stack yet.
fn new_task(all: &mut Vec<Condition>, name: &'static str, modrm: u8) {
    let handled = |vector: u8| {
        move |s: &mut Stage| {
            let mut tss = [0; 0x68];
            s.read(OTHER_TSS, &mut tss);
            s.write(HANDLER_TSS, &tss);
            s.write32(
                HANDLER_TSS + 0x20,
                (HANDLERS + 16 * u64::from(vector)) as u32,
            );
            s.write32(HANDLER_TSS + 0x38, (STACK_0 - 0x800) as u32);
            s.entry(OWN_2, descriptor(HANDLER_TSS, 0x67, TASK_AVAILABLE, 0));
            s.write64(IDT + 8 * u64::from(vector), gate(OWN_2, 0, TASK_GATE));
        }
    };
    const LDTR: u64 = 0x60;
    const CS: u64 = 0x4C;
    const STACK: u64 = 0x50;
    const DS: u64 = 0x54;
    let data = |access: u8| descriptor(0, 0xF_FFFF, access, 0xC);
    let table = |access: u8| descriptor(LDT, 0x7F, access, 0);
    let none = 0u64;
    let conditions: [(&str, u64, u16, u64, u8); 17] = [
        ("LDT is beyond the GDT", LDTR, BEYOND, none, TS),
        ("LDT is a data segment", LDTR, DATA_0, none, TS),
        (
            "LDT is not present",
            LDTR,
            OWN,
            table(LDT_TYPE & !PRESENT),
            TS,
        ),
        ("CS is null", CS, 0, none, TS),
        ("CS is beyond the GDT", CS, BEYOND, none, TS),
        ("CS is a data segment", CS, DATA_0, none, TS),
        (
            "CS has a DPL that is not its RPL",
            CS,
            CODE_32_3 & !3,
            none,
            TS,
        ),
        (
            "CS is not present",
            CS,
            OWN,
            data(CODE_READABLE & !PRESENT),
            NP,
        ),
        ("SS is null", STACK, 0, none, TS),
        ("SS is beyond the GDT", STACK, BEYOND, none, TS),
        ("SS has a DPL that is not CPL", STACK, DATA_3 & !3, none, TS),
        ("SS is not writable", STACK, OWN, data(DATA_READ_ONLY), TS),
        (
            "SS is not present",
            STACK,
            OWN,
            data(DATA_WRITABLE & !PRESENT),
            SS,
        ),
        ("DS is beyond the GDT", DS, BEYOND, none, TS),
        (
            "DS is execute-only code",
            DS,
            OWN,
            data(CODE_EXECUTE_ONLY),
            TS,
        ),
        ("DS is of the system", DS, LOCAL_TABLE, none, TS),
        (
            "DS is not present",
            DS,
            OWN,
            data(DATA_WRITABLE & !PRESENT),
            NP,
        ),
    ];
    for (what, field, selector, own, vector) in conditions {
        let what = format!("new task: its {what}");
        let case = Condition::new(name, Mode::Protected, 0, &what, &[0xFF, modrm]);
        let case = case.with(handled(vector)).with(move |s| {
            s.write16(OTHER_TSS + field, selector);
            s.entry(OWN, own);
            far_pointer(s, DATA, 0, OTHER_TASK);
        });
        all.push(case.faults_elsewhere(vector, selector));
    }
}

fn return_bytes(name: &'static str, mode: Mode) -> Vec<u8> {
    let byte = if name == "iret" { 0xCF } else { 0xCB };
    if mode == Mode::Bits64 {
        vec![0x48, byte]
    } else {
        vec![byte]
    }
}

/// Pushes what a return finds.
fn frame(name: &'static str, cs: u16, rip: u64, outer: Option<(u64, u16)>) -> impl Fn(&mut Stage) {
    move |s| {
        let mut slots = vec![rip, cs.into()];
        if name == "iret" {
            slots.push(2);
        }
        let stack = match outer {
            Some(stack) => Some(stack),
            // IRETQ always pops a stack.
            None if name == "iret" && s.mode == Mode::Bits64 => {
                Some((STACK_3, s.state.segment(Seg::Ss).selector.0))
            }
            None => None,
        };
        if let Some((rsp, ss)) = stack {
            slots.extend([rsp, ss.into()]);
        }
        s.push_all(&slots);
    }
}

fn same_level(all: &mut Vec<Condition>, name: &'static str, mode: Mode) {
    let bytes = return_bytes(name, mode);
    let case = |ring: u8, what: &str, cs: u16| {
        let case = Condition::new(name, mode, ring, what, &bytes);
        case.with(frame(name, cs, TARGET, None))
    };
    let (inner, outer) = (code(mode, 0), code(mode, 3));
    all.push(case(3, "to the same level", outer));
    all.push(case(0, "to the same level", inner));
    all.push(case(3, "CS is null", 3).faults(GP, 0u32));
    all.push(case(3, "CS is beyond the GDT", BEYOND | 3).faults(GP, BEYOND));
    all.push(case(3, "CS is a data segment", DATA_3).faults(GP, DATA_3 & !3));
    all.push(case(3, "RPL of CS below CPL", inner).faults(GP, inner));
    all.push(case(3, "nonconforming code, DPL is not RPL", inner | 3).faults(GP, inner));
    let conforming = code_entry(OWN, CODE_CONFORMING | DPL_3);
    all.push(
        case(0, "conforming code, DPL above RPL", OWN)
            .with(conforming)
            .faults(GP, OWN),
    );
    let absent = code_entry(OWN, (CODE_READABLE | DPL_3) & !PRESENT);
    all.push(
        case(3, "code is not present", OWN | 3)
            .with(absent)
            .faults(NP, OWN),
    );
    let stack = |what: &str, rsp: u64| {
        let case = Condition::new(name, mode, 3, what, &bytes);
        case.with(move |s| s.state.gpr[Gpr::Rsp as usize] = rsp)
    };
    all.push(stack("page of the stack is not present", ABSENT).faults_on_page(ABSENT, 4));
    let checked = |s: &mut Stage| {
        s.state.cr0 |= Cr0::AM;
        s.state.rflags |= Rflags::AC;
    };
    let odd = stack("alignment of the stack is checked", STACK_3 - 63).with(checked);
    all.push(odd.faults(AC, 0u32));
    let locked = [&[0xF0][..], &bytes].concat();
    all.push(Condition::new(name, mode, 3, "LOCK prefix", &locked).faults(UD, 0u32));
    if mode == Mode::Bits64 {
        let far = Condition::new(name, mode, 3, "RIP is not canonical", &bytes);
        all.push(
            far.with(frame(name, outer, NON_CANONICAL, None))
                .faults(GP, 0u32),
        );
        all.push(stack("RSP is not canonical", NON_CANONICAL).faults(SS, 0u32));
    } else {
        let short = |s: &mut Stage| s.entry(OWN, descriptor(0, 0xFFF, CODE_READABLE | DPL_3, 4));
        all.push(
            case(3, "EIP beyond the new limit", OWN | 3)
                .with(short)
                .faults(GP, 0u32),
        );
        let short = |s: &mut Stage| s.state.segments[Seg::Ss as usize].limit = 0x7000;
        all.push(
            case(3, "the stack beyond the limit", outer)
                .with(short)
                .faults(SS, 0u32),
        );
    }
}

fn outer_level(all: &mut Vec<Condition>, name: &'static str, mode: Mode) {
    let bytes = return_bytes(name, mode);
    let case = |what: &str, ss: u16| {
        let what = format!("to an outer level: {what}");
        let case = Condition::new(name, mode, 0, &what, &bytes);
        case.with(frame(name, code(mode, 3), TARGET, Some((STACK_3, ss))))
    };
    let own = |access: u8| move |s: &mut Stage| s.entry(OWN, descriptor(0, 0xF_FFFF, access, 0xC));
    let mine = OWN | 3;
    all.push(case("nothing is wrong", DATA_3));
    all.push(case("SS is null", 3).faults(GP, 0u32));
    all.push(case("SS is beyond the GDT", BEYOND | 3).faults(GP, BEYOND));
    all.push(case("RPL of SS is not that of CS", DATA_3 & !3).faults(GP, DATA_3 & !3));
    all.push(case("DPL of SS is not the RPL of CS", DATA_0 | 3).faults(GP, DATA_0));
    let fixed = own(DATA_READ_ONLY | DPL_3);
    all.push(case("SS is not writable", mine).with(fixed).faults(GP, OWN));
    let opaque = own(CODE_READABLE | DPL_3);
    all.push(case("SS is code", mine).with(opaque).faults(GP, OWN));
    let absent = own((DATA_WRITABLE | DPL_3) & !PRESENT);
    all.push(case("SS is not present", mine).with(absent).faults(SS, OWN));
}

fn special_returns(all: &mut Vec<Condition>) {
    let iopl_2 = |s: &mut Stage| s.state.rflags |= Rflags::from_bits_retain(2 << 12);
    let v86 = |what: &str| {
        let case = Condition::new("iret", Mode::Virtual8086, 3, what, &[0xCF]);
        case.with(|s| s.push_all(&[TARGET, 0, 2]))
    };
    all.push(v86("IOPL below 3").with(iopl_2).faults(GP, 0u32));
    all.push(v86("IOPL is 3").with(|s| s.state.rflags |= Rflags::IOPL));
    let vme = |s: &mut Stage| s.state.cr4 |= emu_core::x86::Cr4::VME;
    all.push(v86("IOPL below 3, CR4.VME is 1").with(vme));
    let wide = Condition::new(
        "iret",
        Mode::Virtual8086,
        3,
        "32-bit operand, IOPL below 3, CR4.VME is 1",
        &[0x66, 0xCF],
    );
    all.push(wide.with(vme).faults(GP, 0u32));
    let trap = Condition::new(
        "iret",
        Mode::Virtual8086,
        3,
        "CR4.VME is 1, TF would be set",
        &[0xCF],
    );
    let trap = trap.with(vme).with(|s| s.push_all(&[TARGET, 0, 0x102]));
    all.push(trap.faults(GP, 0u32));
    let nested = |s: &mut Stage| s.state.rflags |= Rflags::NT;
    for mode in [Mode::Compatibility, Mode::Bits64] {
        let case = Condition::new(
            "iret",
            mode,
            0,
            "NT is 1 in IA-32e mode",
            &return_bytes("iret", mode),
        );
        let case = case
            .with(frame("iret", code(mode, 0), TARGET, None))
            .with(nested);
        all.push(case.faults(GP, 0u32));
    }
    let back = |what: &str, link: u16| {
        let what = format!("NT is 1: {what}");
        let case = Condition::new("iret", Mode::Protected, 0, &what, &[0xCF]);
        case.with(nested).with(move |s| s.write16(TSS, link))
    };
    let busy = |access: u8, limit: u32| {
        move |s: &mut Stage| s.entry(OWN, descriptor(OTHER_TSS, limit, access, 0))
    };
    all.push(back("to a busy task", OWN).with(busy(TASK_BUSY, 0x67)));
    all.push(back("link is null", 0).faults(TS, 0u32));
    all.push(back("link is local", 4).faults(TS, 4u32));
    all.push(back("link is beyond the GDT", BEYOND).faults(TS, BEYOND));
    all.push(back("link is a data segment", DATA_0).faults(TS, DATA_0));
    all.push(back("link is a task that is not busy", OTHER_TASK).faults(TS, OTHER_TASK));
    let absent = busy(TASK_BUSY & !PRESENT, 0x67);
    all.push(
        back("link is a task that is not present", OWN)
            .with(absent)
            .faults(NP, OWN),
    );
    let short = busy(TASK_BUSY, 0x66);
    all.push(
        back("link is a task with a limit below 67h", OWN)
            .with(short)
            .faults(TS, OWN),
    );
}

/// SYSENTER and SYSCALL, and the returns.
fn fast(all: &mut Vec<Condition>) {
    let usable = |s: &mut Stage| {
        s.state.msr.sysenter_cs = if s.mode.is_long() {
            CODE_64.into()
        } else {
            CODE_32.into()
        };
        s.state.msr.sysenter_eip = TARGET;
        s.state.msr.sysenter_esp = STACK_0;
    };
    let (enter, exit) = ([0x0Fu8, 0x34], [0x0Fu8, 0x35]);
    for mode in Mode::ALL {
        let sysenter = |what: &str| Condition::new("sysenter", mode, 3, what, &enter);
        let sysexit = |ring, what: &str| Condition::new("sysexit", mode, ring, what, &exit);
        for case in [sysenter("LOCK prefix"), sysexit(0, "LOCK prefix")] {
            let byte = if case.instruction == "sysenter" {
                0x34
            } else {
                0x35
            };
            let locked = Condition::new(
                case.instruction,
                mode,
                0,
                "LOCK prefix",
                &[0xF0, 0x0F, byte],
            );
            all.push(locked.faults(UD, 0u32));
        }
        if mode == Mode::Real {
            all.push(sysenter("in this mode").with(usable).faults(GP, 0u32));
            all.push(sysexit(0, "in this mode").with(usable).faults(GP, 0u32));
            continue;
        }
        all.push(sysenter("IA32_SYSENTER_CS is null").faults(GP, 0u32));
        all.push(sysexit(3, "CPL is not 0").with(usable).faults(GP, 0u32));
        if mode != Mode::Virtual8086 {
            all.push(sysexit(0, "IA32_SYSENTER_CS is null").faults(GP, 0u32));
        }
        if mode == Mode::Bits64 {
            for (what, at) in [("RCX is not canonical", 1), ("RDX is not canonical", 2)] {
                let case = Condition::new("sysexit", mode, 0, what, &[0x48, 0x0F, 0x35]);
                let case = case.with(usable).with(move |s| {
                    s.state.gpr[1] = STACK_3;
                    s.state.gpr[2] = TARGET;
                    s.state.gpr[at] = NON_CANONICAL;
                });
                all.push(case.faults(GP, 0u32));
            }
        }
        let lacking = Condition::new("sysenter", mode, 0, "not supported", &enter);
        if mode == Mode::Protected {
            all.push(lacking.on("pentium").faults(UD, 0u32));
        }
    }
    let disabled = |s: &mut Stage| s.state.efer -= Efer::SCE;
    for mode in Mode::ALL {
        for (name, byte) in [("syscall", 0x05u8), ("sysret", 0x07)] {
            let ring = if name == "sysret" { 0 } else { 3 };
            let case = |what: &str| Condition::new(name, mode, ring, what, &[0x0F, byte]);
            let locked = Condition::new(name, mode, ring, "LOCK prefix", &[0xF0, 0x0F, byte]);
            all.push(locked.faults(UD, 0u32));
            if mode != Mode::Bits64 {
                all.push(case("not in 64-bit mode").faults(UD, 0u32));
                continue;
            }
            all.push(case("EFER.SCE is 0").with(disabled).faults(UD, 0u32));
            if name == "sysret" {
                let outer = Condition::new(name, mode, 3, "CPL is not 0", &[0x0F, byte]);
                all.push(outer.faults(GP, 0u32));
                let far =
                    Condition::new(name, mode, 0, "RCX is not canonical", &[0x48, 0x0F, byte]);
                all.push(
                    far.with(|s| s.state.gpr[1] = NON_CANONICAL)
                        .faults(GP, 0u32),
                );
            }
        }
    }
}
