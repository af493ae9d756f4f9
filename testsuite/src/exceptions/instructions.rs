//! What system instructions have in common: privilege, modes that do not have them, LOCK, memory operands.

use super::condition::{AC, Condition, GP, SS, UD};
use super::stage::*;
use Access::{AddressOnly, Modify, Read, Write};
use emu_core::x86::{Cr0, Cr4, Gpr, Rflags, Seg, SegmentAttributes, SegmentRegister};

/// What is done to a memory operand.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    /// Read, and written if it changes: ARPL.
    Modify,
    /// Nothing: INVLPG.
    AddressOnly,
}

/// Whether a mode has an instruction.
#[derive(Copy, Clone, PartialEq, Eq)]
enum There {
    Yes,
    /// #UD.
    Undefined,
    /// #GP(0).
    Protected,
    /// The bytes are something else.
    Other(&'static str),
}

/// An instruction.
struct Instruction {
    name: &'static str,
    /// Up to the ModRM byte.
    opcode: &'static [u8],
    /// The ModRM byte's middle field, and what is done to memory.
    memory: Option<(u8, Access)>,
    /// With a register operand it is undefined: the ModRM byte of such a form.
    no_register: Option<u8>,
    /// CPL must be 0.
    privileged: bool,
    /// CR4.UMIP forbids it above CPL 0.
    umip: bool,
    /// A checked access at CPL 3 may be misaligned.
    alignment: bool,
    real: There,
    virtual_8086: There,
    bits64: There,
    /// A model that does not have it.
    lacks: Option<&'static str>,
    /// It does not come to the breakpoint behind it, or its other conditions stand elsewhere.
    completes: bool,
    prepare: fn(&mut Stage),
}

const PLAIN: Instruction = Instruction {
    name: "",
    opcode: &[],
    memory: None,
    no_register: None,
    privileged: false,
    umip: false,
    alignment: true,
    real: There::Yes,
    virtual_8086: There::Yes,
    bits64: There::Yes,
    lacks: None,
    completes: true,
    prepare: |_| {},
};

/// Of ring 0; virtual-8086 mode has CPL 3.
const PRIVILEGED: Instruction = Instruction {
    privileged: true,
    virtual_8086: There::Protected,
    ..PLAIN
};

/// Of protected mode only.
const SELECTOR: Instruction = Instruction {
    real: There::Undefined,
    virtual_8086: There::Undefined,
    prepare: |s| s.write16(DATA, CODE_32_3),
    ..PLAIN
};

const VEX: There = There::Other("there the byte begins a VEX prefix");

fn table(s: &Stage, base: u64, limit: u16) {
    s.write16(DATA, limit);
    s.write64(DATA + 2, base);
}

/// A far pointer of the mode's size to `selector`.
pub fn far_pointer(s: &Stage, at: u64, offset: u64, selector: u16) {
    if s.mode.is_8086() {
        s.write16(at, offset as u16);
        s.write16(at + 2, selector);
    } else {
        s.write32(at, offset as u32);
        s.write16(at + 4, selector);
    }
}

fn data_pointer(s: &mut Stage) {
    let selector = if s.mode.is_8086() { 0 } else { DATA_3 };
    far_pointer(s, DATA, 0, selector);
}

fn stack_pointer(s: &mut Stage) {
    let selector = s.state.segment(Seg::Ss).selector.0;
    far_pointer(s, DATA, 0, selector);
}

fn code_pointer(s: &mut Stage) {
    let selector = s.state.segment(Seg::Cs).selector.0;
    far_pointer(s, DATA, CODE + 0x400, selector);
}

const INSTRUCTIONS: &[Instruction] = &[
    Instruction {
        name: "lgdt",
        opcode: &[0x0F, 0x01],
        memory: Some((2, Read)),
        no_register: Some(0xD7),
        prepare: |s| table(s, GDT, 0x9F),
        ..PRIVILEGED
    },
    Instruction {
        name: "lidt",
        opcode: &[0x0F, 0x01],
        memory: Some((3, Read)),
        no_register: Some(0xDF),
        prepare: |s| match s.mode {
            Mode::Real => table(s, 0, 0x3FF),
            _ => table(s, IDT, 0xFFF),
        },
        ..PRIVILEGED
    },
    Instruction {
        name: "sgdt",
        opcode: &[0x0F, 0x01],
        memory: Some((0, Write)),
        no_register: Some(0xC6),
        umip: true,
        ..PLAIN
    },
    Instruction {
        name: "sidt",
        opcode: &[0x0F, 0x01],
        memory: Some((1, Write)),
        no_register: Some(0xCC),
        umip: true,
        ..PLAIN
    },
    Instruction {
        name: "sldt",
        opcode: &[0x0F, 0x00],
        memory: Some((0, Write)),
        umip: true,
        ..SELECTOR
    },
    Instruction {
        name: "str",
        opcode: &[0x0F, 0x00],
        memory: Some((1, Write)),
        umip: true,
        ..SELECTOR
    },
    Instruction {
        name: "smsw",
        opcode: &[0x0F, 0x01],
        memory: Some((4, Write)),
        umip: true,
        ..PLAIN
    },
    Instruction {
        name: "lmsw",
        opcode: &[0x0F, 0x01],
        memory: Some((6, Read)),
        prepare: |s| s.write16(DATA, s.state.cr0.bits() as u16 & 0xF),
        ..PRIVILEGED
    },
    Instruction {
        name: "lldt",
        opcode: &[0x0F, 0x00],
        memory: Some((2, Read)),
        privileged: true,
        prepare: |s| s.write16(DATA, LOCAL_TABLE),
        ..SELECTOR
    },
    Instruction {
        name: "ltr",
        opcode: &[0x0F, 0x00],
        memory: Some((3, Read)),
        privileged: true,
        prepare: |s| s.write16(DATA, OTHER_TASK),
        ..SELECTOR
    },
    Instruction {
        name: "lar",
        opcode: &[0x0F, 0x02],
        memory: Some((0, Read)),
        ..SELECTOR
    },
    Instruction {
        name: "lsl",
        opcode: &[0x0F, 0x03],
        memory: Some((0, Read)),
        ..SELECTOR
    },
    Instruction {
        name: "verr",
        opcode: &[0x0F, 0x00],
        memory: Some((4, Read)),
        ..SELECTOR
    },
    Instruction {
        name: "verw",
        opcode: &[0x0F, 0x00],
        memory: Some((5, Read)),
        ..SELECTOR
    },
    Instruction {
        name: "arpl",
        opcode: &[0x63],
        memory: Some((0, Modify)),
        bits64: There::Other("there the byte is MOVSXD"),
        // RPL 0 is raised to that of AX, so that it is written.
        prepare: |s| {
            s.write16(DATA, CODE_32);
            s.state.gpr[0] = 3;
        },
        ..SELECTOR
    },
    Instruction {
        name: "clts",
        opcode: &[0x0F, 0x06],
        ..PRIVILEGED
    },
    Instruction {
        name: "hlt",
        opcode: &[0xF4],
        completes: false,
        ..PRIVILEGED
    },
    Instruction {
        name: "invd",
        opcode: &[0x0F, 0x08],
        lacks: Some("80386"),
        ..PRIVILEGED
    },
    Instruction {
        name: "wbinvd",
        opcode: &[0x0F, 0x09],
        lacks: Some("80386"),
        ..PRIVILEGED
    },
    Instruction {
        name: "invlpg",
        opcode: &[0x0F, 0x01],
        memory: Some((7, AddressOnly)),
        no_register: Some(0xFF),
        lacks: Some("80386"),
        ..PRIVILEGED
    },
    Instruction {
        name: "invpcid",
        opcode: &[0x66, 0x0F, 0x38, 0x82],
        memory: Some((0, Read)),
        no_register: Some(0xC7),
        lacks: Some("sandybridge"),
        prepare: |s| s.state.gpr[0] = 2,
        ..PRIVILEGED
    },
    Instruction {
        name: "mov cr",
        opcode: &[0x0F, 0x22, 0xD0],
        prepare: |s| s.state.gpr[0] = 0x1234,
        ..PRIVILEGED
    },
    Instruction {
        name: "mov dr",
        opcode: &[0x0F, 0x23, 0xC0],
        ..PRIVILEGED
    },
    Instruction {
        name: "rdmsr",
        opcode: &[0x0F, 0x32],
        lacks: Some("80486"),
        prepare: |s| s.state.gpr[1] = 0x174,
        ..PRIVILEGED
    },
    Instruction {
        name: "wrmsr",
        opcode: &[0x0F, 0x30],
        lacks: Some("80486"),
        prepare: |s| s.state.gpr[1] = 0x174,
        ..PRIVILEGED
    },
    Instruction {
        name: "rdtsc",
        opcode: &[0x0F, 0x31],
        lacks: Some("80486"),
        ..PLAIN
    },
    Instruction {
        name: "rdtscp",
        opcode: &[0x0F, 0x01, 0xF9],
        lacks: Some("core2"),
        ..PLAIN
    },
    Instruction {
        name: "rdpmc",
        opcode: &[0x0F, 0x33],
        lacks: Some("pentium"),
        prepare: |s| {
            s.state.cr4 |= Cr4::PCE;
            s.state.gpr[Gpr::Rcx as usize] = 0;
        },
        ..PLAIN
    },
    Instruction {
        name: "xgetbv",
        opcode: &[0x0F, 0x01, 0xD0],
        lacks: Some("nehalem"),
        prepare: |s| s.state.cr4 |= Cr4::OSXSAVE,
        ..PLAIN
    },
    Instruction {
        name: "xsetbv",
        opcode: &[0x0F, 0x01, 0xD1],
        lacks: Some("nehalem"),
        prepare: |s| {
            s.state.cr4 |= Cr4::OSXSAVE;
            s.state.gpr[0] = 3;
        },
        ..PRIVILEGED
    },
    Instruction {
        name: "swapgs",
        opcode: &[0x0F, 0x01, 0xF8],
        privileged: true,
        real: There::Undefined,
        virtual_8086: There::Undefined,
        ..PLAIN
    },
    Instruction {
        name: "rsm",
        opcode: &[0x0F, 0xAA],
        completes: false,
        ..PLAIN
    },
    Instruction {
        name: "lds",
        opcode: &[0xC5],
        memory: Some((0, Read)),
        no_register: Some(0xC0),
        bits64: VEX,
        prepare: data_pointer,
        ..PLAIN
    },
    Instruction {
        name: "les",
        opcode: &[0xC4],
        memory: Some((0, Read)),
        no_register: Some(0xC0),
        bits64: VEX,
        prepare: data_pointer,
        ..PLAIN
    },
    Instruction {
        name: "lss",
        opcode: &[0x0F, 0xB2],
        memory: Some((0, Read)),
        no_register: Some(0xC0),
        prepare: stack_pointer,
        ..PLAIN
    },
    Instruction {
        name: "lfs",
        opcode: &[0x0F, 0xB4],
        memory: Some((0, Read)),
        no_register: Some(0xC0),
        prepare: data_pointer,
        ..PLAIN
    },
    Instruction {
        name: "lgs",
        opcode: &[0x0F, 0xB5],
        memory: Some((0, Read)),
        no_register: Some(0xC0),
        prepare: data_pointer,
        ..PLAIN
    },
    Instruction {
        name: "call far",
        opcode: &[0xFF],
        memory: Some((3, Read)),
        no_register: Some(0xD8),
        prepare: code_pointer,
        ..PLAIN
    },
    Instruction {
        name: "jmp far",
        opcode: &[0xFF],
        memory: Some((5, Read)),
        no_register: Some(0xE8),
        prepare: code_pointer,
        ..PLAIN
    },
    Instruction {
        name: "bound",
        opcode: &[0x62],
        memory: Some((0, Read)),
        no_register: Some(0xC0),
        bits64: There::Other("there the byte begins an EVEX prefix"),
        ..PLAIN
    },
    Instruction {
        name: "mov sreg",
        opcode: &[0x8E],
        memory: Some((0, Read)),
        prepare: |s| {
            let selector = if s.mode.is_8086() { 0 } else { DATA_3 };
            s.write16(DATA, selector);
        },
        ..PLAIN
    },
    Instruction {
        name: "cli",
        opcode: &[0xFA],
        prepare: |s| s.state.rflags |= Rflags::IOPL,
        ..PLAIN
    },
    Instruction {
        name: "sti",
        opcode: &[0xFB],
        prepare: |s| s.state.rflags |= Rflags::IOPL,
        ..PLAIN
    },
    Instruction {
        name: "pushf",
        opcode: &[0x9C],
        prepare: |s| s.state.rflags |= Rflags::IOPL,
        ..PLAIN
    },
    Instruction {
        name: "popf",
        opcode: &[0x9D],
        prepare: |s| {
            s.state.rflags |= Rflags::IOPL;
            s.push_all(&[0x3002]);
        },
        ..PLAIN
    },
    Instruction {
        name: "in",
        opcode: &[0xE4, 0x80],
        ..PLAIN
    },
    Instruction {
        name: "out",
        opcode: &[0xE6, 0x80],
        ..PLAIN
    },
];

impl Instruction {
    fn there(&self, mode: Mode) -> There {
        match mode {
            Mode::Real => self.real,
            Mode::Virtual8086 => self.virtual_8086,
            Mode::Protected => There::Yes,
            Mode::Compatibility if self.name == "swapgs" => There::Undefined,
            Mode::Compatibility => There::Yes,
            Mode::Bits64 => self.bits64,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.opcode.to_vec();
        if let Some((middle, _)) = self.memory {
            bytes.push(middle << 3 | 7);
        }
        bytes
    }

    fn behind(&self, prefix: u8) -> Vec<u8> {
        [&[prefix][..], &self.bytes()].concat()
    }
}

/// The conditions of the table.
pub fn conditions() -> Vec<Condition> {
    let mut all = Vec::new();
    for instruction in INSTRUCTIONS {
        for mode in Mode::ALL {
            in_mode(&mut all, instruction, mode);
        }
    }
    all
}

fn in_mode(all: &mut Vec<Condition>, i: &'static Instruction, mode: Mode) {
    let ring = if i.privileged { 0 } else { 3 };
    let case =
        |what: &str, bytes: &[u8]| Condition::new(i.name, mode, ring, what, bytes).with(i.prepare);
    let bytes = i.bytes();
    // SWAPGS is the only one that protected mode lacks; RSM exists in system management mode alone.
    let there = match i.name {
        "swapgs" if mode == Mode::Protected => There::Undefined,
        "rsm" => There::Undefined,
        _ => i.there(mode),
    };
    match there {
        There::Yes => {}
        There::Undefined => {
            let what = if i.name == "rsm" {
                "not in system management mode"
            } else {
                "not recognized in this mode"
            };
            all.push(case(what, &bytes).faults(UD, 0u32));
            return;
        }
        There::Protected => {
            all.push(case("not allowed in this mode", &bytes).faults(GP, 0u32));
            all.push(case("LOCK prefix", &i.behind(0xF0)).faults(UD, 0u32));
            return;
        }
        There::Other(why) => {
            all.push(Condition::left_out(i.name, mode, "all conditions", why));
            return;
        }
    }
    if i.completes {
        all.push(case("nothing is wrong", &bytes));
    }
    all.push(case("LOCK prefix", &i.behind(0xF0)).faults(UD, 0u32));
    if let Some(modrm) = i.no_register {
        let register = [i.opcode, &[modrm]].concat();
        all.push(case("register operand", &register).faults(UD, 0u32));
    }
    if let (Some(model), false) = (i.lacks, mode.is_long() || mode == Mode::Virtual8086) {
        let lacking = Condition::new(i.name, mode, 0, "not supported", &bytes);
        all.push(lacking.with(i.prepare).on(model).faults(UD, 0u32));
    }
    if i.privileged && !mode.is_8086() {
        let outer = Condition::new(i.name, mode, 3, "CPL is not 0", &bytes);
        all.push(outer.with(i.prepare).faults(GP, 0u32));
    }
    if i.umip && mode != Mode::Real {
        let umip = |s: &mut Stage| s.state.cr4 |= Cr4::UMIP;
        all.push(
            case("CR4.UMIP is 1 and CPL is not 0", &bytes)
                .with(umip)
                .faults(GP, 0u32),
        );
        if mode != Mode::Virtual8086 {
            let inner = Condition::new(i.name, mode, 0, "CR4.UMIP is 1 and CPL is 0", &bytes);
            all.push(inner.with(i.prepare).with(umip));
        }
    }
    let Some((middle, access)) = i.memory else {
        return;
    };
    if access == AddressOnly {
        if mode == Mode::Bits64 {
            let far = |s: &mut Stage| s.state.gpr[Gpr::Rdi as usize] = 1 << 63;
            all.push(case("address is not canonical: ignored", &bytes).with(far));
        }
        return;
    }
    match mode {
        Mode::Real | Mode::Virtual8086 => {
            let beyond = |s: &mut Stage| s.state.gpr[Gpr::Rbx as usize] = 0xFFFF;
            all.push(
                case("operand beyond the limit", &bytes)
                    .with(beyond)
                    .faults(GP, 0u32),
            );
            let stack = i.behind(0x36);
            all.push(
                case("operand beyond the limit of SS", &stack)
                    .with(beyond)
                    .faults(SS, 0u32),
            );
        }
        Mode::Protected | Mode::Compatibility => {
            let limit =
                |seg: Seg| move |s: &mut Stage| s.state.segments[seg as usize].limit = 0x87FF;
            let beyond = limit(Seg::Ds);
            all.push(
                case("operand beyond the limit", &bytes)
                    .with(beyond)
                    .faults(GP, 0u32),
            );
            let (stack, beyond) = (i.behind(0x36), limit(Seg::Ss));
            all.push(
                case("operand beyond the limit of SS", &stack)
                    .with(beyond)
                    .faults(SS, 0u32),
            );
            let null =
                |s: &mut Stage| s.state.segments[Seg::Ds as usize] = SegmentRegister::default();
            all.push(case("DS is null", &bytes).with(null).faults(GP, 0u32));
            if matches!(access, Write | Modify) {
                let fixed = |s: &mut Stage| {
                    s.state.segments[Seg::Ds as usize].attributes -= SegmentAttributes::WRITABLE;
                };
                all.push(
                    case("destination is not writable", &bytes)
                        .with(fixed)
                        .faults(GP, 0u32),
                );
            } else {
                let opaque = |s: &mut Stage| {
                    s.state.segments[Seg::Cs as usize].attributes -= SegmentAttributes::WRITABLE;
                };
                let code = i.behind(0x2E);
                all.push(
                    case("source is not readable", &code)
                        .with(opaque)
                        .faults(GP, 0u32),
                );
            }
        }
        Mode::Bits64 => {
            let far = |s: &mut Stage| {
                s.state.gpr[Gpr::Rdi as usize] = 1 << 63;
                s.state.gpr[Gpr::Rbp as usize] = 1 << 63;
            };
            all.push(
                case("address is not canonical", &bytes)
                    .with(far)
                    .faults(GP, 0u32),
            );
            let stack = [i.opcode, &[0x45 | middle << 3, 0]].concat();
            let what = "address in the stack segment is not canonical";
            all.push(case(what, &stack).with(far).faults(SS, 0u32));
        }
    }
    if mode == Mode::Real {
        return;
    }
    pages(all, i, mode, access, &bytes);
    if ring == 3 && i.alignment {
        let odd = |s: &mut Stage| {
            s.state.cr0 |= Cr0::AM;
            s.state.rflags |= Rflags::AC;
            s.state.gpr[Gpr::Rdi as usize] = DATA + 1;
            s.state.gpr[Gpr::Rbx as usize] = DATA + 1;
        };
        all.push(
            case("alignment is checked", &bytes)
                .with(odd)
                .faults(AC, 0u32),
        );
    }
}

/// Page faults of a memory operand (SDM vol. 3, section 4.7).
fn pages(
    all: &mut Vec<Condition>,
    i: &'static Instruction,
    mode: Mode,
    access: Access,
    bytes: &[u8],
) {
    let ring = if i.privileged { 0 } else { 3 };
    let user = if ring == 3 { 4 } else { 0 };
    let write = if access == Write { 2 } else { 0 };
    let mut page = |what: &str, linear: u64, error: u32| {
        let there = move |s: &mut Stage| {
            s.state.gpr[Gpr::Rdi as usize] = linear;
            s.state.gpr[Gpr::Rbx as usize] = linear;
        };
        let case = Condition::new(i.name, mode, ring, what, bytes);
        all.push(
            case.with(i.prepare)
                .with(there)
                .faults_on_page(linear, error),
        );
    };
    page("page is not present", ABSENT, user | write);
    if matches!(access, Write | Modify) {
        page("page is not writable", READ_ONLY, user | 3);
    }
    if ring == 3 {
        page("page is the supervisor's", SUPERVISOR, user | write | 1);
    }
}
