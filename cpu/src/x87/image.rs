//! The memory images of FNSTENV, FLDENV, FNSAVE, FRSTOR (SDM vol. 1, figures 8-9 to 8-12, section 8.1.10).

use super::control;
use super::state::{EXCEPTIONS, Fpu, Generation};
use crate::softfloat::F80;

/// Operand size and mode give the four formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 14 bytes; 20-bit addresses. Real and virtual-8086 mode.
    Real16,
    /// 14 bytes; selector and offset.
    Protected16,
    /// 28 bytes; 32-bit linear addresses. Real and virtual-8086 mode.
    Real32,
    /// 28 bytes; selector and offset. Also 64-bit mode.
    Protected32,
}

impl Format {
    /// Length of the environment.
    pub const fn environment_bytes(self) -> usize {
        match self {
            Self::Real16 | Self::Protected16 => 14,
            Self::Real32 | Self::Protected32 => 28,
        }
    }

    /// Length of the whole state.
    pub const fn state_bytes(self) -> usize {
        self.environment_bytes() + 80
    }
}

/// The longest image.
pub const MAX_STATE_BYTES: usize = 108;

/// The address as real-mode images hold it.
fn linear(segment: u16, offset: u64) -> u32 {
    (u32::from(segment) << 4).wrapping_add(offset as u32)
}

fn fields(state: &Fpu, format: Format) -> [u32; 7] {
    let control = u32::from(state.control);
    let status = u32::from(state.status_word());
    let tag = u32::from(state.tag_word());
    let opcode = u32::from(state.fop);
    let code = linear(state.fcs, state.fip);
    let data = linear(state.fds, state.fdp);
    const RESERVED: u32 = 0xFFFF_0000;
    match format {
        Format::Real16 => [
            control,
            status,
            tag,
            code & 0xFFFF,
            code >> 4 & 0xF000 | opcode,
            data & 0xFFFF,
            data >> 4 & 0xF000,
        ],
        Format::Protected16 => [
            control,
            status,
            tag,
            state.fip as u32 & 0xFFFF,
            state.fcs.into(),
            state.fdp as u32 & 0xFFFF,
            state.fds.into(),
        ],
        Format::Real32 => [
            RESERVED | control,
            RESERVED | status,
            RESERVED | tag,
            RESERVED | code & 0xFFFF,
            code >> 4 & 0x0FFF_F000 | opcode,
            RESERVED | data & 0xFFFF,
            data >> 4 & 0x0FFF_F000,
        ],
        Format::Protected32 => [
            RESERVED | control,
            RESERVED | status,
            RESERVED | tag,
            state.fip as u32,
            opcode << 16 | u32::from(state.fcs),
            state.fdp as u32,
            RESERVED | u32::from(state.fds),
        ],
    }
}

/// The environment as FNSTENV stores it; the first [`Format::environment_bytes`] count. After the store call
/// [`mask_exceptions`].
pub fn environment(state: &Fpu, format: Format) -> [u8; 28] {
    let mut bytes = [0; 28];
    let fields = fields(state, format);
    if format.environment_bytes() == 14 {
        for (to, field) in bytes.chunks_exact_mut(2).zip(fields) {
            to.copy_from_slice(&(field as u16).to_le_bytes());
        }
    } else {
        for (to, field) in bytes.chunks_exact_mut(4).zip(fields) {
            to.copy_from_slice(&field.to_le_bytes());
        }
    }
    bytes
}

/// What FNSTENV does after its store: masks all exceptions; the 8087 masks interrupts too.
pub fn mask_exceptions(state: &mut Fpu) {
    state.control |= EXCEPTIONS;
    if state.generation == Generation::I8087 {
        control::set_interrupts(state, false);
    }
}

/// FLDENV, from at least [`Format::environment_bytes`]; missing bytes count as zero. A flagged exception that is not
/// masked becomes pending.
pub fn load_environment(state: &mut Fpu, format: Format, bytes: &[u8]) {
    let byte = |i: usize| u32::from(bytes.get(i).copied().unwrap_or(0));
    let word = |i: usize| byte(i) | byte(i + 1) << 8;
    let step = format.environment_bytes() / 7;
    let field = |n: usize| match step {
        2 => word(2 * n),
        _ => word(4 * n) | word(4 * n + 2) << 16,
    };
    state.set_control_word(field(0) as u16);
    state.set_status_word(field(1) as u16);
    state.set_tag_word(field(2) as u16);
    let [ip, cs, dp, ds] = [field(3), field(4), field(5), field(6)];
    match format {
        Format::Protected16 => {
            (state.fip, state.fcs) = (ip.into(), cs as u16);
            (state.fdp, state.fds) = (dp.into(), ds as u16);
            // This image has no opcode.
            state.fop = 0;
        }
        Format::Protected32 => {
            (state.fip, state.fcs) = (ip.into(), cs as u16);
            (state.fdp, state.fds) = (dp.into(), ds as u16);
            state.fop = (cs >> 16) as u16 & 0x7FF;
        }
        Format::Real16 | Format::Real32 => {
            let high = if step == 2 { 0xF000 } else { 0x0FFF_F000 };
            state.fip = u64::from(ip & 0xFFFF | (cs & high) << 4);
            state.fdp = u64::from(dp & 0xFFFF | (ds & high) << 4);
            (state.fcs, state.fds) = (0, 0);
            state.fop = cs as u16 & 0x7FF;
        }
    }
}

/// The whole state as FNSAVE stores it; the first [`Format::state_bytes`] count. After the store call
/// [`control::init`].
pub fn save(state: &Fpu, format: Format) -> [u8; MAX_STATE_BYTES] {
    let mut bytes = [0; MAX_STATE_BYTES];
    let length = format.environment_bytes();
    bytes[..length].copy_from_slice(&environment(state, format)[..length]);
    for (i, to) in (0..8).zip(bytes[length..].chunks_exact_mut(10)) {
        to.copy_from_slice(&state.st(i).to_le_bytes());
    }
    bytes
}

/// FRSTOR, from at least [`Format::state_bytes`]; missing bytes count as zero.
pub fn restore(state: &mut Fpu, format: Format, bytes: &[u8]) {
    load_environment(state, format, bytes);
    let registers = bytes.get(format.environment_bytes()..).unwrap_or(&[]);
    let occupied = state.occupied;
    for i in 0..8 {
        let mut value = [0; 10];
        let from = registers.get(usize::from(i) * 10..).unwrap_or(&[]);
        for (to, from) in value.iter_mut().zip(from) {
            *to = *from;
        }
        state.set_st(i, F80::from_le_bytes(value));
    }
    state.occupied = occupied;
}
