//! The x87 part of the FXSAVE area, also the legacy region of XSAVE (SDM vol. 1, section 10.5.1, table 10-2).

use super::state::Fpu;
use crate::softfloat::F80;

/// Bytes 0 to 23: control, status, abridged tag, opcode and pointers.
pub const HEADER_BYTES: usize = 24;

/// Width of the pointers in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointers {
    /// 32-bit offset and selector.
    Segmented,
    /// 64-bit offset (REX.W in 64-bit mode).
    Flat,
}

/// Bytes 0 to 23 of the area.
pub fn header(state: &Fpu, pointers: Pointers) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[0..2].copy_from_slice(&state.control.to_le_bytes());
    bytes[2..4].copy_from_slice(&state.status_word().to_le_bytes());
    bytes[4] = state.occupied;
    bytes[6..8].copy_from_slice(&state.fop.to_le_bytes());
    match pointers {
        Pointers::Segmented => {
            bytes[8..12].copy_from_slice(&(state.fip as u32).to_le_bytes());
            bytes[12..14].copy_from_slice(&state.fcs.to_le_bytes());
            bytes[16..20].copy_from_slice(&(state.fdp as u32).to_le_bytes());
            bytes[20..22].copy_from_slice(&state.fds.to_le_bytes());
        }
        Pointers::Flat => {
            bytes[8..16].copy_from_slice(&state.fip.to_le_bytes());
            bytes[16..24].copy_from_slice(&state.fdp.to_le_bytes());
        }
    }
    bytes
}

/// Bytes 32 + 16 i to 47 + 16 i of the area: ST(i), its six reserved bytes zero.
pub fn register(state: &Fpu, i: u8) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..10].copy_from_slice(&state.st(i).to_le_bytes());
    bytes
}

/// FXRSTOR: takes bytes 0 to 23 over.
pub fn load_header(state: &mut Fpu, pointers: Pointers, bytes: &[u8; HEADER_BYTES]) {
    let word = |i: usize| u16::from_le_bytes([bytes[i], bytes[i + 1]]);
    let dword = |i: usize| u64::from(word(i)) | u64::from(word(i + 2)) << 16;
    state.set_control_word(word(0));
    state.set_status_word(word(2));
    state.occupied = bytes[4];
    state.fop = word(6) & 0x7FF;
    match pointers {
        Pointers::Segmented => {
            (state.fip, state.fcs) = (dword(8), word(12));
            (state.fdp, state.fds) = (dword(16), word(20));
        }
        Pointers::Flat => {
            (state.fip, state.fcs) = (dword(8) | dword(12) << 32, 0);
            (state.fdp, state.fds) = (dword(16) | dword(20) << 32, 0);
        }
    }
}

/// FXRSTOR: takes ST(i) over, after the header; the tag stays.
pub fn load_register(state: &mut Fpu, i: u8, bytes: &[u8; 16]) {
    let mut value = [0; 10];
    value.copy_from_slice(&bytes[..10]);
    let index = state.index(i);
    state.registers[index] = F80::from_le_bytes(value);
}
