//! What must be equal: everything that the manual defines.
//!
//! * Flags that the manual (by iced-x86's table of it) leaves undefined are not compared once the instruction has
//!   completed; a shift or rotate by a count of 0 leaves none undefined. A fault leaves all of them as they were.
//! * Transcendental x87 instructions may be one unit in the last place apart; C0, C1 and C3 then tell of the approximation.
//!   Beyond the operand range that the manual gives, F2XM1 and FYL2XP1 are not compared.
//! * The x87 operand pointer and opcode count only while an exception is pending where the host keeps them only then
//!   (SDM vol. 1, sections 8.1.8 and 8.1.9).
//! * RCPPS and RSQRTPS and their kin may be 1.5 x 2^-12 off the true value, relatively.
//! * CR2 counts for page faults only. Linux reports every fault on an address of its own half as one on a page that is
//!   present.
//! * A fault in an instruction that makes several accesses may come before or after any of the others: then the memory that
//!   it writes, the registers that POPA, FLDENV and FRSTOR load, and where within the operand CR2 points are not compared.
//!   CALL, ENTER, PUSHA, POPA, BOUND and CMPS, of which several accesses or checks fail, may report either; RETF and IRET
//!   either of a page fault and a misalignment.
//! * A selector that is pushed as 32 or 64 bits may be written as 16 (SDM vol. 2, "PUSH"), and the upper part of a
//!   selector's slot need not be read: a fault that only the wider access meets is not compared.
//! * Behind a transfer from 64-bit to compatibility mode the upper halves of registers and R8 to R15 are undefined (SDM
//!   vol. 1, section 3.4.1.1); so is where a far CALL that does so pushes with RSP above 4 GiB.
//! * A repeated string instruction with 32-bit addresses and a count of 0, or with a fault before the first repetition, does
//!   nothing, by the manual; whether that is a write of ECX, ESI and EDI, which clears their upper halves in 64-bit mode,
//!   differs between processors and instructions.
//! * Bits 16 to 19 of what LAR loads are undefined (SDM vol. 2, "LAR").
//! * A null selector's RPL: Linux' return to user mode clears it.
//! * An MMX instruction that faults may have entered MMX state already: TOP 0, no register empty.
//! * AMD's hosts put zeros for the x87 pointers into a signal's frame if no unmasked exception is pending; they read the whole
//!   frame before RETF and IRET look at selectors; masked moves check and access element by element; MXCSR_MASK may have
//!   bit 17 (misaligned exceptions), and then what loads MXCSR with that bit is not compared.
//! * FXSAVE and FXRSTOR with an unaligned operand, where EFLAGS.AC asks for a check, raise #AC or #GP on Intel's hosts (SDM
//!   vol. 2, "FXSAVE"); beyond the limit of the stack segment #SS or #GP.
//! * VCVTPS2PH whose store faults may have set the flags of MXCSR.
//! * Of a store of selected bytes or elements CR2 may point anywhere in the operand. Without a byte selected, MASKMOVQ and
//!   MASKMOVDQU may fault all the same (SDM vol. 2, "MASKMOVDQU"); so does either half of the latter on Intel's processors.
//! * A masked move or, on Intel's hosts, an FXSAVE image that runs over the end of what addresses of its size reach may meet the segment's
//!   limit or a page (SDM vol. 3, section 5.3); an unaligned operand that runs over the end of canonical addresses, either.
//! * A gather that is suspended: what lies above the elements that it uses is not compared. By the manual's pseudocode the
//!   mask has been cleared there and the destination will be at the end; Skylake does it the other way round.
//! * INT1 on a host of AMD's whose hypervisor intercepts debug exceptions pushes its own address.
//! * REP MOVS whose destination lies within its source, ahead of it, but only as two linear views of the same pages: fast
//!   strings (SDM vol. 1, section 7.3.9.3) move groups of elements, and whether they do is decided by linear addresses. What
//!   the destination then holds is not compared.
//! * MOVBE with both 66h and REX.W checks no alignment on some hosts (model 55h): where they raise no #AC, ours is compared
//!   without EFLAGS.AC.
//! * A processor without execute-disable reports no instruction fetches, and executes data: a case that the host ends
//!   there is skipped.

use super::case::{Case, CodeSize, LOST, MXCSR, Outcome, SEGMENT_NAMES, gpr_name};
use super::emit::address_bits;
use super::generator::segment_of;
use super::host;
use super::layout;
use super::undefined::{
    distance, double_shift_is_undefined, enter_mmx_as_far, forgive, is_approximation,
    is_masked_store, is_transcendental, near, result_is_undefined, top, undefined_flags, uses_mmx,
};
use iced_x86::{Code, Instruction, Mnemonic as M, OpKind, Register};

/// What differs: where, the host's value, ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The place.
    pub what: String,
    /// The host's.
    pub host: u64,
    /// Ours.
    pub ours: u64,
}

/// What the two processors are.
#[derive(Copy, Clone, Debug)]
pub struct Rules {
    /// The model has execute-disable.
    pub execute_disable: bool,
    /// The host keeps the x87 operand pointer for exceptions only.
    pub lazy_pointers: bool,
    /// AMD made the host.
    pub amd: bool,
}

impl Rules {
    /// For a model on this host.
    pub fn new(execute_disable: bool) -> Self {
        Self {
            execute_disable,
            lazy_pointers: host::data_pointer_only_for_exceptions(),
            amd: host::is_amd(),
        }
    }
}

const NP: u8 = 11;
const SS: u8 = 12;
const GP: u8 = 13;
const PF: u8 = 14;
const MF: u8 = 16;
const AC: u8 = 17;
/// EFLAGS.AC.
pub const AC_FLAG: u64 = 1 << 18;
/// Behind the lower half of canonical addresses.
const CANONICAL_END: u64 = 1 << 47;
/// Where the abridged tags stand in an FXSAVE image.
pub const TAGS: usize = 4;
/// Where ST(0) stands.
pub const ST: usize = 32;
/// Misaligned exceptions in MXCSR_MASK, which is the upper half of a quadword.
const MISALIGNED_MASK: u64 = 1 << (32 + 17);
/// Where XMM0 stands.
const XMM: usize = 160;
const PF_PRESENT: u32 = 1;
/// From here on Linux (with 4-level paging) reports every page as present: its own half, and the page before it.
const LINUX_OWN: u64 = 0x7FFF_FFFF_F000;
const PF_FETCH: u32 = 16;
/// Flags that have storage, reserved ones left out.
const STORED_FLAGS: u64 = 0x003F_7FD5;
/// RF in a pushed image tells a fault from a trap.
const C0_C1_C3: u64 = 0x4300;

/// Whether an instruction's alignment is unchecked by some hosts, of which this one raised no #AC where we did.
pub fn is_unchecked(case: &Case, insn: &Instruction, host: &Outcome, ours: &Outcome) -> bool {
    let mut prefixes = case.code.iter().take_while(|b| **b != 0x0F);
    matches!(insn.code(), Code::Movbe_m64_r64 | Code::Movbe_r64_m64)
        && prefixes.any(|b| *b == 0x66)
        && ours.vector == AC
        && host.vector != AC
}

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Equal in all that counts.
    Same,
    /// Not.
    Different(Vec<Difference>),
    /// Not comparable on this model, by rule.
    Skipped,
}

/// Compares.
pub fn compare(
    rules: Rules,
    case: &Case,
    insn: &Instruction,
    host: &Outcome,
    ours: &Outcome,
) -> Verdict {
    if !rules.execute_disable
        && host.vector == PF
        && host.error & PF_FETCH != 0
        && host.error & PF_PRESENT != 0
    {
        return Verdict::Skipped;
    }
    let mut c = Comparison {
        rules,
        case,
        insn,
        host,
        ours,
        differences: Vec::new(),
    };
    if c.accesses_a_selector_alone()
        || c.faults_at_another_access()
        || c.misaligned_as_either()
        || c.allows_misaligned_operands()
        || c.selects_nothing()
        || c.runs_over_the_end()
        || c.is_unaligned_and_not_canonical()
        || c.pushes_in_two_modes()
    {
        return Verdict::Same;
    }
    c.exception();
    if host.vector != LOST && ours.vector != LOST {
        c.registers();
        c.x87();
        c.sse();
        c.memory();
    }
    if c.differences.is_empty() {
        Verdict::Same
    } else {
        Verdict::Different(c.differences)
    }
}

struct Comparison<'a> {
    rules: Rules,
    case: &'a Case,
    insn: &'a Instruction,
    host: &'a Outcome,
    ours: &'a Outcome,
    differences: Vec<Difference>,
}

impl Comparison<'_> {
    fn equal(&mut self, what: &str, mask: u64, host: u64, ours: u64) {
        if (host ^ ours) & mask != 0 {
            self.differences.push(Difference {
                what: what.into(),
                host,
                ours,
            });
        }
    }

    /// Whether the instruction completed on the host: what ended the case came behind it.
    fn completed(&self) -> bool {
        matches!(self.host.vector, 1 | 3) || self.host.rip != self.case.rip()
    }

    fn exception(&mut self) {
        let (host, ours) = (self.host, self.ours);
        self.equal("vector", u64::MAX, host.vector.into(), ours.vector.into());
        if host.vector != ours.vector || host.vector == LOST {
            return;
        }
        if super::subject::has_error_code(host.vector) {
            let mut mask = u32::MAX;
            if host.vector == PF {
                if !self.rules.execute_disable {
                    mask &= !PF_FETCH;
                }
                if host.cr2 >= LINUX_OWN {
                    mask &= !PF_PRESENT;
                }
            }
            self.equal("error", mask.into(), host.error.into(), ours.error.into());
        }
        if host.vector == PF {
            // Which of several slots is met first is not defined, but they lie side by side.
            let slots = matches!(
                self.insn.mnemonic(),
                M::Retf | M::Iret | M::Iretd | M::Iretq
            );
            let near = slots && host.cr2.abs_diff(ours.cr2) <= 32
                || self.was_interrupted() && (host.cr2 ^ ours.cr2) & !0xFFF == 0
                || is_masked_store(self.insn) && distance(host.cr2, ours.cr2) < 32;
            if !near {
                self.equal("cr2", u64::MAX, host.cr2, ours.cr2);
            }
        }
    }

    /// The host accesses the 16 bits of a selector where we access its whole slot, and fault.
    fn accesses_a_selector_alone(&self) -> bool {
        let segment = |n| self.insn.op_register(n).is_segment_register();
        match self.insn.mnemonic() {
            M::Push if segment(0) => self.ours.vector == AC,
            M::Pop if segment(0) => {
                self.ours.vector == AC || self.ours.vector == PF && self.ours.cr2 & 0xFFF == 0
            }
            M::Retf | M::Iret | M::Iretd | M::Iretq => {
                self.ours.vector == PF && self.host.vector != PF && self.ours.cr2 & 0xFFF == 0
            }
            _ => false,
        }
    }

    /// The offsets in the window that a repeated MOVS writes, if it reads them through another view of the window and behind
    /// where it writes.
    fn moved_between_views(&self) -> Option<std::ops::Range<u64>> {
        const RCX: usize = 1;
        const RSI: usize = 6;
        const RDI: usize = 7;
        let element = match self.insn.mnemonic() {
            M::Movsb => 1,
            M::Movsw => 2,
            M::Movsd => 4,
            M::Movsq => 8,
            _ => return None,
        };
        let repeated = self.insn.has_rep_prefix() || self.insn.has_repne_prefix();
        let down = self.case.flags & 0x400 != 0;
        // SSE2's MOVSD is no string instruction.
        if !repeated || down || !self.insn.is_string_instruction() {
            return None;
        }
        let mask = match address_bits(self.insn, self.case.size) {
            16 => 0xFFFF,
            32 => 0xFFFF_FFFF,
            _ => u64::MAX,
        };
        let register = |n: usize| self.case.gpr[n] & mask;
        let segment = segment_of(self.insn.memory_segment());
        let from = register(RSI).wrapping_add(self.case.segment_base(segment));
        let to = register(RDI).wrapping_add(self.case.segment_base(0));
        let view = |linear: u64| linear & !(layout::WINDOW_BYTES - 1);
        let within = |linear: u64| linear & (layout::WINDOW_BYTES - 1);
        let ahead = within(to).checked_sub(within(from))?;
        let bytes = register(RCX).checked_mul(element)?;
        let overlaps = view(from) != view(to) && (1..bytes).contains(&ahead);
        overlaps.then(|| within(to)..within(to).saturating_add(bytes))
    }

    /// FXSAVE or FXRSTOR of an unaligned operand on a host of Intel's: which of several faults has no order.
    fn misaligned_as_either(&self) -> bool {
        let image = matches!(
            self.insn.mnemonic(),
            M::Fxsave | M::Fxsave64 | M::Fxrstor | M::Fxrstor64
        );
        let vectors = [self.host.vector, self.ours.vector];
        let checked = self.case.flags & AC_FLAG != 0;
        image
            && !self.rules.amd
            && (vectors.iter().all(|v| matches!(*v, SS | GP))
                || checked && vectors.iter().all(|v| matches!(*v, GP | AC)))
    }

    /// The host took a value of MXCSR with a bit of a feature of AMD's processors that ours has not.
    fn allows_misaligned_operands(&self) -> bool {
        let loads = matches!(
            self.insn.mnemonic(),
            M::Ldmxcsr | M::Vldmxcsr | M::Fxrstor | M::Fxrstor64
        );
        let fx = &self.host.fx;
        let allowed = u64::from(fx[MXCSR + 2]) << (16 + 32) & MISALIGNED_MASK != 0;
        loads && self.rules.amd && self.completed() && allowed && self.ours.vector == GP
    }

    /// The offset of the memory operand in its segment, and the number of addresses that its size has.
    fn offset(&self) -> Option<(u64, u64)> {
        let memory = (0..self.insn.op_count())
            .find(|&n| !matches!(self.insn.op_kind(n), OpKind::Register | OpKind::Immediate8))?;
        let register = |r: Register, _, _| {
            let value = self.case.gpr.get(r.full_register().number());
            Some(if r.is_gpr() { *value? } else { 0 })
        };
        let offset = self.insn.virtual_address(memory, 0, register)?;
        let bits = match self.insn.op_kind(memory) {
            OpKind::Memory => {
                let registers = [self.insn.memory_base(), self.insn.memory_index()];
                let of = |r: &Register| r.is_gpr() || r.is_ip();
                let bytes = registers.iter().find(|r| of(r)).map(|r| r.size());
                8 * bytes.unwrap_or(self.insn.memory_displ_size() as usize) as u32
            }
            _ => address_bits(self.insn, self.case.size),
        };
        Some(match bits {
            16 => (offset & 0xFFFF, 1 << 16),
            32 => (offset & 0xFFFF_FFFF, 1 << 32),
            _ => (offset, CANONICAL_END),
        })
    }

    /// A masked move or an FXSAVE image that goes over the end of what addresses of its size reach: which fault comes
    /// first, and where, is not defined.
    fn runs_over_the_end(&self) -> bool {
        let bytes = match self.insn.mnemonic() {
            M::Fxsave | M::Fxsave64 | M::Fxrstor | M::Fxrstor64 if !self.rules.amd => 512,
            _ if is_masked_store(self.insn) => 32,
            _ => return false,
        };
        let over = |(offset, end): (u64, u64)| offset < end && end - offset < bytes;
        let faults = |o: &Outcome| matches!(o.vector, SS | GP | PF | AC);
        self.offset().is_some_and(over) && faults(self.host) && faults(self.ours)
    }

    /// An unaligned operand that goes over the end of canonical addresses.
    fn is_unaligned_and_not_canonical(&self) -> bool {
        let over = |(offset, end): (u64, u64)| {
            let linear = offset.wrapping_add(
                self.case
                    .segment_base(segment_of(self.insn.memory_segment())),
            );
            end == CANONICAL_END && linear < end && end - linear < 8
        };
        self.host.vector == AC
            && matches!(self.ours.vector, SS | GP)
            && self.offset().is_some_and(over)
    }

    /// A store of selected bytes that selects none of a quadword, and faults on the host.
    fn selects_nothing(&self) -> bool {
        let mask = self.insn.op_register(2);
        let at = match self.insn.mnemonic() {
            M::Maskmovq => ST + 16 * ((mask.number() + 8 - top(&self.case.fx)) & 7),
            M::Maskmovdqu | M::Vmaskmovdqu => XMM + 16 * mask.number(),
            _ => return false,
        };
        let bytes = &self.case.fx[at..at + if mask.is_mm() { 8 } else { 16 }];
        let faults = matches!(self.host.vector, SS | GP | PF | AC);
        let unselected = |quadword: &[u8]| quadword.iter().all(|b| b >> 7 == 0);
        bytes.chunks(8).any(unselected) && faults && self.host.rip == self.case.rip()
    }

    /// A far CALL that leaves 64-bit mode: whether it pushes with the whole of RSP is not defined, since of its upper half
    /// nothing is kept.
    fn pushes_in_two_modes(&self) -> bool {
        let far = self.insn.is_call_far() || self.insn.is_call_far_indirect();
        far && self.case.size == CodeSize::Bits64
            && self.case.gpr[4] > u64::from(u32::MAX)
            && [self.host, self.ours]
                .iter()
                .any(|o| o.selectors[1] != layout::CS64)
    }

    /// Of an instruction whose accesses and checks have no defined order, host and we meet different faults.
    fn faults_at_another_access(&self) -> bool {
        let (host, ours) = (self.host, self.ours);
        let possible: &[u8] = match self.insn.mnemonic() {
            M::Call
            | M::Enter
            | M::Pusha
            | M::Pushad
            | M::Popa
            | M::Popad
            | M::Bound
            | M::Cmpsb
            | M::Cmpsw
            | M::Cmpsd
            | M::Cmpsq
            | M::Fnstenv
            | M::Fnsave
            | M::Fldenv
            | M::Frstor => &[5, 12, 13, PF, AC],
            // AMD's look at one element after the other.
            _ if self.rules.amd && is_masked_store(self.insn) => &[SS, GP, PF],
            // AMD's read all of the frame before they look at the selectors.
            M::Retf | M::Iret | M::Iretd | M::Iretq if self.rules.amd => &[NP, SS, GP, PF, AC],
            M::Retf | M::Iret | M::Iretd | M::Iretq => &[PF, AC],
            _ => return false,
        };
        let faults = |o: &Outcome| possible.contains(&o.vector) && o.rip == self.case.rip();
        faults(host) && faults(ours) && (host.vector, host.cr2) != (ours.vector, ours.cr2)
    }

    /// Whether it faulted between accesses that have no order.
    fn was_interrupted(&self) -> bool {
        let several = matches!(
            self.insn.mnemonic(),
            M::Call
                | M::Enter
                | M::Pusha
                | M::Pushad
                | M::Popa
                | M::Popad
                | M::Fnstenv
                | M::Fnsave
                | M::Fldenv
                | M::Frstor
                | M::Fxsave
                | M::Fxsave64
                | M::Fxrstor
                | M::Fxrstor64
                | M::Fstp
                | M::Fbstp
                | M::Movbe
        );
        several && !self.completed()
    }

    fn registers(&mut self) {
        let (host, ours) = (self.host, self.ours);
        let long = self.case.size == CodeSize::Bits64;
        let (count, mask) = if long && host.selectors[1] == layout::CS64 {
            (16, u64::MAX)
        } else {
            (8, 0xFFFF_FFFF)
        };
        let free = self.undefined_register();
        let idle = self.repeats_nothing_with_32_bit_addresses();
        let half_popped =
            matches!(self.insn.mnemonic(), M::Popa | M::Popad) && self.was_interrupted();
        for n in 0..count {
            let mask = match free {
                Some((register, undefined)) if register == n => mask & !undefined,
                _ if half_popped && n != 4 => 0,
                _ if idle && matches!(n, 1 | 6 | 7) => mask & 0xFFFF_FFFF,
                _ => mask,
            };
            self.equal(gpr_name(n), mask, host.gpr[n], ours.gpr[n]);
        }
        let intercepted = self.rules.amd && self.insn.mnemonic() == M::Int1;
        if !(intercepted && host.rip == self.case.rip()) {
            self.equal("rip", mask, host.rip, ours.rip);
        }
        let mut flags = STORED_FLAGS;
        if self.completed() {
            flags &= !undefined_flags(self.case, self.insn);
        }
        self.equal("flags", flags, host.flags, ours.flags);
        for (n, name) in SEGMENT_NAMES.iter().enumerate() {
            let (host, ours) = (host.selectors[n], ours.selectors[n]);
            // Of a null selector the return to user mode leaves no RPL.
            if host != 0 || ours & !3 != 0 {
                self.equal(name, 0xFFFF, host.into(), ours.into());
            }
        }
        if long {
            self.equal("fsbase", u64::MAX, host.bases[0], ours.bases[0]);
            self.equal("gsbase", u64::MAX, host.bases[1], ours.bases[1]);
        }
    }

    /// In 64-bit mode a repeated instruction with a count of 0 in ECX, or one that did not complete.
    fn repeats_nothing_with_32_bit_addresses(&self) -> bool {
        self.case.size == CodeSize::Bits64
            && (self.insn.has_rep_prefix() || self.insn.has_repne_prefix())
            && address_bits(self.insn, self.case.size) == 32
            && (self.case.gpr[1] as u32 == 0 || !self.completed())
    }

    /// A general register whose content the manual leaves undefined, and which bits of it.
    fn undefined_register(&self) -> Option<(usize, u64)> {
        if !self.completed() || self.insn.op0_kind() != OpKind::Register {
            return None;
        }
        let undefined = match self.insn.mnemonic() {
            // SDM vol. 2: a count above the operand's size.
            M::Shld | M::Shrd if double_shift_is_undefined(self.case, self.insn) => u64::MAX,
            // SDM vol. 2: "When the BSWAP instruction references a 16-bit register, the result is undefined."
            M::Bswap if self.insn.op0_register().size() == 2 => u64::MAX,
            M::Lar => 0xF_0000,
            _ => return None,
        };
        Some((self.insn.op0_register().full_register().number(), undefined))
    }

    fn x87(&mut self) {
        if self.was_interrupted()
            && matches!(
                self.insn.mnemonic(),
                M::Fldenv | M::Frstor | M::Fxrstor | M::Fxrstor64
            )
        {
            return;
        }
        let (mut host, mut ours) = (self.host.fx, self.ours.fx);
        let at = |fx: &[u8], at: usize, n: usize| {
            (0..n).rev().fold(0, |v, i| v << 8 | u64::from(fx[at + i]))
        };
        let mut status = 0xFFFF;
        if self.completed() && is_transcendental(self.insn) {
            if result_is_undefined(
                self.insn,
                at(&self.case.fx, 40, 2),
                at(&self.case.fx, 32, 8),
            ) {
                return;
            }
            status &= !C0_C1_C3;
            forgive(&mut host, &mut ours);
        }
        let faulted = self.host.vector != MF && !self.completed();
        if faulted && uses_mmx(self.insn) {
            enter_mmx_as_far(&mut ours, &host);
        }
        self.equal("fcw", u64::MAX, at(&host, 0, 2), at(&ours, 0, 2));
        self.equal("fsw", status, at(&host, 2, 2), at(&ours, 2, 2));
        self.equal("ftw", u64::MAX, at(&host, 4, 1), at(&ours, 4, 1));
        let pending = at(&host, 2, 2) & 0x80 != 0;
        if pending || !self.rules.amd {
            self.equal("fip", 0xFFFF_FFFF, at(&host, 8, 8), at(&ours, 8, 8));
        }
        if pending || !self.rules.lazy_pointers && !self.rules.amd {
            self.equal("fop", 0x7FF, at(&host, 6, 2), at(&ours, 6, 2));
            self.equal("fdp", 0xFFFF_FFFF, at(&host, 16, 8), at(&ours, 16, 8));
        }
        for i in 0..8 {
            let place = 32 + 16 * i;
            let name = format!("st{i}");
            self.equal(&name, u64::MAX, at(&host, place, 8), at(&ours, place, 8));
            self.equal(
                &format!("{name}.exponent"),
                u64::MAX,
                at(&host, place + 8, 2),
                at(&ours, place + 8, 2),
            );
        }
    }

    fn sse(&mut self) {
        let (host, ours) = (&self.host.fx, &self.ours.fx);
        let at = |fx: &[u8], at: usize, n: usize| {
            (0..n).rev().fold(0, |v, i| v << 8 | u64::from(fx[at + i]))
        };
        let (h, o) = (at(host, MXCSR, 4), at(ours, MXCSR, 4));
        let stores_halves = self.insn.mnemonic() == M::Vcvtps2ph && !self.completed();
        self.equal("mxcsr", if stores_halves { 0xFFC0 } else { 0xFFFF }, h, o);
        let unused = self.unused_by_gather();
        let registers = if self.case.size == CodeSize::Bits64 {
            16
        } else {
            8
        };
        let approximate = self.completed() && is_approximation(self.insn);
        for n in 0..registers {
            let part = |o: &Outcome, q: usize| match q {
                0 | 1 => at(&o.fx, 160 + 16 * n + 8 * q, 8),
                _ => o.ymm_high[n][q - 2],
            };
            for q in 0..4 {
                let (h, o) = (part(self.host, q), part(self.ours, q));
                if unused.is_some_and(|(registers, from)| registers.contains(&n) && q >= from) {
                    continue;
                }
                if !(approximate
                    && (near(h as u32, o as u32) && near((h >> 32) as u32, (o >> 32) as u32)))
                {
                    self.equal(&format!("ymm{n}.{q}"), u64::MAX, h, o);
                }
            }
        }
    }

    /// Destination and mask of a gather that was suspended, and the first of their quadwords that no element uses.
    fn unused_by_gather(&self) -> Option<([usize; 2], usize)> {
        if !self.insn.is_vsib() || self.host.rip != self.case.rip() {
            return None;
        }
        let index_bytes = if self.insn.is_vsib64() { 8 } else { 4 };
        let element_bytes = self.insn.memory_size().size();
        let elements = (self.insn.memory_index().size() / index_bytes)
            .min(self.insn.op0_register().size() / element_bytes);
        let registers = [self.insn.op0_register(), self.insn.op2_register()];
        Some((registers.map(|r| r.number()), elements * element_bytes / 8))
    }

    fn memory(&mut self) {
        if self.host.overflowed || self.ours.overflowed {
            self.equal(
                "memory changes beyond count",
                1,
                self.host.overflowed.into(),
                self.ours.overflowed.into(),
            );
        }
        let free = self.undefined_memory();
        let moved = self.moved_between_views();
        let mut words: Vec<u16> = self
            .host
            .changes()
            .chain(self.ours.changes())
            .map(|(n, _)| n)
            .collect();
        words.sort_unstable();
        words.dedup();
        let before = |word: u16| {
            let mut bytes = [0; 8];
            let background = layout::background();
            bytes.copy_from_slice(&background[usize::from(word) * 8..][..8]);
            for (at, b) in self.case.prepared() {
                if at / 8 == usize::from(word) {
                    bytes[at % 8] = b;
                }
            }
            u64::from_le_bytes(bytes)
        };
        let mut found = Vec::new();
        for word in words {
            let find = |o: &Outcome| o.changes().find(|c| c.0 == word).map(|c| c.1);
            let (host, ours) = (find(self.host), find(self.ours));
            if host == ours || free || self.was_interrupted() {
                continue;
            }
            let old = before(word);
            if self.writes_less_of_a_selector(word, host.unwrap_or(old) ^ ours.unwrap_or(old)) {
                continue;
            }
            let offset = layout::window_offset(usize::from(word) * 8);
            let holds = |r: &std::ops::Range<u64>| {
                r.start < u64::from(offset) + 8 && u64::from(offset) < r.end
            };
            if moved.as_ref().is_some_and(holds) {
                continue;
            }
            let differences = host.unwrap_or(old) ^ ours.unwrap_or(old);
            if self.saves_mxcsr_mask() && differences & !MISALIGNED_MASK == 0 {
                continue;
            }
            found.push((
                format!("mem{offset:x}"),
                host.unwrap_or(old),
                ours.unwrap_or(old),
            ));
        }
        for (what, host, ours) in found {
            self.equal(&what, u64::MAX, host, ours);
        }
    }

    /// The words differ only in the upper part of a pushed selector's slot.
    fn writes_less_of_a_selector(&self, word: u16, difference: u64) -> bool {
        let selector = match self.insn.mnemonic() {
            M::Push => self.insn.op0_register().is_segment_register().then_some(2),
            // Above the selector of a far CALL lies the upper half of its slot.
            M::Call if self.insn.is_call_far() || self.insn.is_call_far_indirect() => Some(2),
            _ => None,
        };
        let Some(selector_bytes) = selector else {
            return false;
        };
        let slot_bytes = match self.insn.mnemonic() {
            M::Push => (self.insn.stack_pointer_increment().unsigned_abs() as u64).max(2),
            _ => (self.insn.stack_pointer_increment().unsigned_abs() as u64 / 2).max(2),
        };
        // The selector is pushed first: its slot ends where the stack pointer was.
        let top = self.case.gpr[4].wrapping_add(self.case.segment_base(2));
        let free = top.wrapping_sub(slot_bytes - selector_bytes)..top;
        let start = u64::from(layout::window_offset(usize::from(word) * 8));
        (0..8).all(|i| {
            let byte = difference >> (8 * i) & 0xFF;
            let place = start + i;
            byte == 0 || free.clone().any(|linear| linear & 0xFFFF == place)
        })
    }

    /// FXSAVE, whose MXCSR_MASK tells of a feature of AMD's processors that ours has not.
    fn saves_mxcsr_mask(&self) -> bool {
        self.rules.amd && matches!(self.insn.mnemonic(), M::Fxsave | M::Fxsave64)
    }

    /// A memory operand whose content the manual leaves undefined.
    fn undefined_memory(&self) -> bool {
        matches!(self.insn.mnemonic(), M::Shld | M::Shrd)
            && self.completed()
            && double_shift_is_undefined(self.case, self.insn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::undefined::case_of;
    use super::*;

    #[test]
    fn a_difference_of_any_kind_is_found() {
        let (case, insn) = case_of(CodeSize::Bits32, &[0x90]);
        let rules = Rules {
            execute_disable: false,
            lazy_pointers: false,
            amd: false,
        };
        let same = Outcome {
            vector: 1,
            ..Outcome::new()
        };
        assert_eq!(compare(rules, &case, &insn, &same, &same), Verdict::Same);
        let changes: [fn(&mut Outcome); 9] = [
            |o| o.vector = 3,
            |o| o.gpr[7] = 1,
            |o| o.rip = 1,
            |o| o.flags = 1,
            |o| o.selectors[3] = 8,
            |o| o.fx[34] = 1,
            |o| o.fx[170] = 1,
            |o| o.ymm_high[3][1] = 1,
            |o| o.change_count = 1,
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let mut other = same;
            change(&mut other);
            let verdict = compare(rules, &case, &insn, &same, &other);
            assert!(matches!(verdict, Verdict::Different(_)), "change {n}");
        }
    }
}
