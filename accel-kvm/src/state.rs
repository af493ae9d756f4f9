//! The state of a CPU as KVM's structures, and back.

use crate::sys;
use emu_core::x86::{
    CpuState, Cr0, Cr4, DescriptorTable, Efer, Gpr, Rflags, Seg, SegmentAttributes,
    SegmentRegister, Selector, X87State,
};
use kvm_bindings::{Msrs, kvm_dtable, kvm_msr_entry, kvm_regs, kvm_segment, kvm_sregs, kvm_xsave};
use kvm_ioctls::VcpuFd;

// Places in XSAVE's area.
const MXCSR: usize = 24;
const ST: usize = 32;
const XMM: usize = 160;
/// XSTATE_BV: which components are not in their initial state.
const PRESENT: usize = 512;
const YMM_HIGH: usize = 576;
const AREA_BYTES: usize = 4096;
const X87: u64 = 1 << 0;
const SSE: u64 = 1 << 1;
const AVX: u64 = 1 << 2;

type Result<T> = std::result::Result<T, kvm_ioctls::Error>;

fn to_segment(s: &SegmentRegister) -> kvm_segment {
    let a = s.attributes;
    let flag = |f: SegmentAttributes| u8::from(a.contains(f));
    kvm_segment {
        base: s.base,
        limit: s.limit,
        selector: s.selector.0,
        type_: a.segment_type(),
        present: flag(SegmentAttributes::PRESENT),
        dpl: a.dpl(),
        db: flag(SegmentAttributes::BIG),
        s: flag(SegmentAttributes::NON_SYSTEM),
        l: flag(SegmentAttributes::LONG),
        g: flag(SegmentAttributes::GRANULAR),
        avl: flag(SegmentAttributes::AVAILABLE),
        unusable: u8::from(!a.contains(SegmentAttributes::USABLE)),
        padding: 0,
    }
}

fn from_segment(s: &kvm_segment) -> SegmentRegister {
    let mut a = SegmentAttributes::from_bits_retain(u32::from(s.type_ & 0xF)).with_dpl(s.dpl & 3);
    for (set, flag) in [
        (s.present, SegmentAttributes::PRESENT),
        (s.db, SegmentAttributes::BIG),
        (s.s, SegmentAttributes::NON_SYSTEM),
        (s.l, SegmentAttributes::LONG),
        (s.g, SegmentAttributes::GRANULAR),
        (s.avl, SegmentAttributes::AVAILABLE),
        (u8::from(s.unusable == 0), SegmentAttributes::USABLE),
    ] {
        a.set(flag, set != 0);
    }
    SegmentRegister {
        selector: Selector(s.selector),
        base: s.base,
        limit: s.limit,
        attributes: a,
    }
}

fn to_table(t: DescriptorTable) -> kvm_dtable {
    kvm_dtable {
        base: t.base,
        limit: t.limit,
        padding: [0; 3],
    }
}

fn from_table(t: &kvm_dtable) -> DescriptorTable {
    DescriptorTable {
        base: t.base,
        limit: t.limit,
    }
}

fn segments(s: &mut kvm_sregs) -> [(Seg, &mut kvm_segment); 6] {
    [
        (Seg::Es, &mut s.es),
        (Seg::Cs, &mut s.cs),
        (Seg::Ss, &mut s.ss),
        (Seg::Ds, &mut s.ds),
        (Seg::Fs, &mut s.fs),
        (Seg::Gs, &mut s.gs),
    ]
}

/// The model-specific registers that are moved, by number.
fn registers(s: &mut CpuState) -> [(u32, &mut u64); 9] {
    let m = &mut s.msr;
    [
        (0x174, &mut m.sysenter_cs),
        (0x175, &mut m.sysenter_esp),
        (0x176, &mut m.sysenter_eip),
        (0x277, &mut m.page_attribute_table),
        (0xC000_0081, &mut m.star),
        (0xC000_0082, &mut m.lstar),
        (0xC000_0083, &mut m.cstar),
        (0xC000_0084, &mut m.fmask),
        (0xC000_0102, &mut m.kernel_gs_base),
    ]
}

/// Puts a state into KVM.
pub fn put(vcpu: &VcpuFd, state: &CpuState) -> Result<()> {
    let mut sregs = vcpu.get_sregs()?;
    for (seg, register) in segments(&mut sregs) {
        *register = to_segment(state.segment(seg));
    }
    (sregs.tr, sregs.ldt) = (to_segment(&state.tr), to_segment(&state.ldtr));
    (sregs.gdt, sregs.idt) = (to_table(state.gdtr), to_table(state.idtr));
    (sregs.cr0, sregs.cr2) = (state.cr0.bits(), state.cr2);
    (sregs.cr3, sregs.cr4) = (state.cr3, state.cr4.bits());
    (sregs.cr8, sregs.efer) = (state.cr8, state.efer.bits());
    sregs.interrupt_bitmap = [0; 4];
    vcpu.set_sregs(&sregs)?;
    let g = |r: Gpr| state.gpr[r as usize];
    vcpu.set_regs(&kvm_regs {
        rax: g(Gpr::Rax),
        rbx: g(Gpr::Rbx),
        rcx: g(Gpr::Rcx),
        rdx: g(Gpr::Rdx),
        rsi: g(Gpr::Rsi),
        rdi: g(Gpr::Rdi),
        rsp: g(Gpr::Rsp),
        rbp: g(Gpr::Rbp),
        r8: g(Gpr::R8),
        r9: g(Gpr::R9),
        r10: g(Gpr::R10),
        r11: g(Gpr::R11),
        r12: g(Gpr::R12),
        r13: g(Gpr::R13),
        r14: g(Gpr::R14),
        r15: g(Gpr::R15),
        rip: state.rip,
        rflags: state.rflags.bits(),
    })?;
    let mut debug = vcpu.get_debug_regs()?;
    (debug.db, debug.dr6, debug.dr7) = (state.dr, state.dr6, state.dr7);
    vcpu.set_debug_regs(&debug)?;
    let mut extended = vcpu.get_xcrs()?;
    extended.xcrs[0].value = state.simd.xcr0;
    (extended.nr_xcrs, extended.xcrs[0].xcr) = (1, 0);
    vcpu.set_xcrs(&extended)?;
    sys::set_xsave(vcpu, &to_xsave(state))?;
    let mut copy = *state;
    let entries: Vec<_> = registers(&mut copy)
        .into_iter()
        .map(|(index, data)| kvm_msr_entry {
            index,
            data: *data,
            ..kvm_msr_entry::default()
        })
        .collect();
    if let Ok(msrs) = Msrs::from_entries(&entries) {
        vcpu.set_msrs(&msrs)?;
    }
    Ok(())
}

/// Takes KVM's state over into `state`; what KVM does not hold stays.
pub fn take(vcpu: &VcpuFd, state: &mut CpuState) -> Result<()> {
    let mut sregs = vcpu.get_sregs()?;
    for (seg, register) in segments(&mut sregs) {
        state.segments[seg as usize] = from_segment(register);
    }
    (state.tr, state.ldtr) = (from_segment(&sregs.tr), from_segment(&sregs.ldt));
    (state.gdtr, state.idtr) = (from_table(&sregs.gdt), from_table(&sregs.idt));
    state.cr0 = Cr0::from_bits_retain(sregs.cr0);
    state.cr4 = Cr4::from_bits_retain(sregs.cr4);
    state.efer = Efer::from_bits_retain(sregs.efer);
    (state.cr2, state.cr3, state.cr8) = (sregs.cr2, sregs.cr3, sregs.cr8);
    let r = vcpu.get_regs()?;
    state.gpr = [
        r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12,
        r.r13, r.r14, r.r15,
    ];
    (state.rip, state.rflags) = (r.rip, Rflags::from_bits_retain(r.rflags));
    let debug = vcpu.get_debug_regs()?;
    (state.dr, state.dr6, state.dr7) = (debug.db, debug.dr6, debug.dr7);
    from_xsave(&vcpu.get_xsave()?, state);
    // What was restored last, KVM does not tell: everything counts as modified.
    state.restored = None;
    let extended = vcpu.get_xcrs()?;
    let first = extended.xcrs.iter().take(extended.nr_xcrs as usize);
    if let Some(xcr0) = first.into_iter().find(|x| x.xcr == 0) {
        state.simd.xcr0 = xcr0.value;
    }
    let mut copy = *state;
    let wanted: Vec<_> = registers(&mut copy)
        .into_iter()
        .map(|(index, _)| kvm_msr_entry {
            index,
            ..kvm_msr_entry::default()
        })
        .collect();
    if let Ok(mut msrs) = Msrs::from_entries(&wanted) {
        let read = vcpu.get_msrs(&mut msrs)?;
        for (entry, (_, data)) in msrs.as_slice()[..read].iter().zip(registers(state)) {
            *data = entry.data;
        }
    }
    Ok(())
}

/// KVM hands over vector and floating-point registers as XSAVE's standard format (SDM vol. 1, section 13.4). KVM_SET_FPU,
/// which is simpler, leaves MXCSR out.
fn to_xsave(state: &CpuState) -> kvm_xsave {
    let x = &state.x87;
    let mut area = [0u8; AREA_BYTES];
    area[0..2].copy_from_slice(&x.control.to_le_bytes());
    area[2..4].copy_from_slice(&x.status.to_le_bytes());
    area[4] = x.not_empty;
    area[6..8].copy_from_slice(&x.opcode.to_le_bytes());
    area[8..16].copy_from_slice(&x.instruction_pointer.to_le_bytes());
    area[16..24].copy_from_slice(&x.data_pointer.to_le_bytes());
    area[MXCSR..MXCSR + 4].copy_from_slice(&state.simd.mxcsr.to_le_bytes());
    // By distance from the top (SDM vol. 1, section 10.5.1).
    let top = usize::from(x.status >> 11 & 7);
    for (n, bytes) in area[ST..XMM].chunks_exact_mut(16).enumerate() {
        let physical = (top + n) % 8;
        bytes[..8].copy_from_slice(&x.significand[physical].to_le_bytes());
        bytes[8..10].copy_from_slice(&x.sign_exponent[physical].to_le_bytes());
    }
    let mut present = X87 | SSE;
    for (n, v) in state.simd.vectors.iter().enumerate() {
        for (half, at) in [(&v[..2], XMM), (&v[2..], YMM_HIGH)] {
            let at = at + 16 * n;
            area[at..at + 8].copy_from_slice(&half[0].to_le_bytes());
            area[at + 8..at + 16].copy_from_slice(&half[1].to_le_bytes());
        }
        if v[2] | v[3] != 0 {
            present |= AVX;
        }
    }
    area[PRESENT..PRESENT + 8].copy_from_slice(&present.to_le_bytes());
    let mut xsave = kvm_xsave::default();
    for (word, bytes) in xsave.region.iter_mut().zip(area.chunks_exact(4)) {
        *word = number(bytes) as u32;
    }
    xsave
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |v, b| v << 8 | u64::from(*b))
}

fn from_xsave(xsave: &kvm_xsave, state: &mut CpuState) {
    let area: Vec<u8> = xsave.region.iter().flat_map(|w| w.to_le_bytes()).collect();
    let at = |at: usize, bytes: usize| number(&area[at..at + bytes]);
    let present = at(PRESENT, 8);
    // A component that is not present has its initial value.
    let selectors = (state.x87.instruction_selector, state.x87.data_selector);
    state.x87 = X87State::default();
    (state.x87.instruction_selector, state.x87.data_selector) = selectors;
    if present & X87 != 0 {
        let x = &mut state.x87;
        (x.control, x.status) = (at(0, 2) as u16, at(2, 2) as u16);
        (x.not_empty, x.opcode) = (area[4], at(6, 2) as u16 & 0x7FF);
        (x.instruction_pointer, x.data_pointer) = (at(8, 8), at(16, 8));
        let top = usize::from(x.status >> 11 & 7);
        for n in 0..8 {
            let physical = (top + n) % 8;
            x.significand[physical] = at(ST + 16 * n, 8);
            x.sign_exponent[physical] = at(ST + 16 * n + 8, 2) as u16;
        }
    }
    state.simd.mxcsr = at(MXCSR, 4) as u32;
    for (n, v) in state.simd.vectors.iter_mut().enumerate() {
        let half = |component: u64, base: usize| match present & component {
            0 => [0, 0],
            _ => [at(base + 16 * n, 8), at(base + 16 * n + 8, 8)],
        };
        let (low, high) = (half(SSE, XMM), half(AVX, YMM_HIGH));
        *v = [low[0], low[1], high[0], high[1]];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_floating_point_registers_come_back_as_they_were() {
        for bits in [0x93u32, 0x9B, 0xC0F3, 0xA0FB, 0x8B, 0x1082] {
            let attributes = SegmentAttributes::from_bits_retain(bits) | SegmentAttributes::USABLE;
            let register = SegmentRegister {
                selector: Selector(0x1234),
                base: 0xFFFF_8000_1234_5678,
                limit: 0xF_FFFF,
                attributes,
            };
            assert_eq!(from_segment(&to_segment(&register)), register);
        }
        let null = SegmentRegister::default();
        assert_eq!(from_segment(&to_segment(&null)), null);
        let mut state = CpuState::default();
        state.x87.status = 5 << 11 | 0x41;
        state.x87.not_empty = 0xA5;
        for n in 0..8 {
            state.x87.significand[n] = 0x8000_0000_0000_0000 | n as u64;
            state.x87.sign_exponent[n] = 0x3FFF + n as u16;
            state.simd.vectors[n] = [n as u64, !(n as u64), 0, 0];
        }
        for high in [0, 7] {
            state.simd.vectors[15][3] = high;
            let mut back = CpuState::default();
            from_xsave(&to_xsave(&state), &mut back);
            assert_eq!((back.x87, back.simd), (state.x87, state.simd));
        }
        // ST(0) is the physical register that TOP names.
        assert_eq!(to_xsave(&state).region[ST / 4], 5);
    }
}
