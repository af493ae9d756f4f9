//! What both processors see: where the window of memory lies, what its pages allow, and the segments that selectors
//! name.

/// The window's address below 4 GiB, and the base of the small segments.
pub const LOW: u64 = 0x1000_0000;
/// Its address above, for 64-bit code: the same pages.
pub const HIGH: u64 = 0x2B5C_7FFF_0000;
/// Bytes of the window.
pub const WINDOW_BYTES: u64 = 0x1_0000;
/// Bytes of a page.
pub const PAGE: usize = 0x1000;

/// What a page of the window allows user mode.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// Fetch and read.
    Execute,
    /// Read and write.
    Write,
    /// Read.
    Read,
}

/// The pages that are there, by their offset in the window, in the order of their frames. Between them are holes, so
/// that what runs over an edge faults.
pub const PAGES: [(u16, Access); 6] = [
    (CODE, Access::Execute),
    (CODE + 0x1000, Access::Execute),
    (DATA, Access::Write),
    (DATA + 0x1000, Access::Write),
    (READ_ONLY, Access::Read),
    (STACK, Access::Write),
];
/// Two pages of code, filled with INT3.
pub const CODE: u16 = 0x1000;
/// Two pages of data.
pub const DATA: u16 = 0x4000;
/// A page that cannot be written.
pub const READ_ONLY: u16 = 0x7000;
/// A page that stacks use.
pub const STACK: u16 = 0x8000;
/// Bytes of all pages.
pub const MEMORY_BYTES: usize = PAGES.len() * PAGE;

/// Where an offset of the window lies in the frames, if there is a page.
pub fn frame_offset(offset: u16) -> Option<usize> {
    let page = offset & 0xF000;
    let n = PAGES.iter().position(|p| p.0 == page)?;
    Some(n * PAGE + usize::from(offset & 0xFFF))
}

/// The offset in the window of a byte of the frames.
pub fn window_offset(at: usize) -> u16 {
    PAGES[at / PAGE].0 + (at % PAGE) as u16
}

/// What the frames hold where a case says nothing: INT3 in the code, a pattern elsewhere.
pub fn background() -> Vec<u8> {
    (0..MEMORY_BYTES as u32)
        .map(|at| match PAGES[at as usize / PAGE].1 {
            Access::Execute => 0xCC,
            _ => (at.wrapping_mul(0x9E37_79B1) >> 23) as u8,
        })
        .collect()
}

/// User code of 64 bits, as Linux lays out its GDT.
pub const CS64: u16 = 0x33;
/// User code of 32 bits, flat.
pub const CS32: u16 = 0x23;
/// User data, flat.
pub const FLAT: u16 = 0x2B;
/// 16-bit code in the window.
pub const CODE16: u16 = local(0);
/// 16-bit data in the window.
pub const DATA16: u16 = local(1);
/// 32-bit code in the window.
pub const CODE32: u16 = local(2);
/// 32-bit data in the window, up to the middle of the second data page.
pub const DATA_SHORT: u16 = local(3);
/// 32-bit data that expands down to the middle of the second data page.
pub const DATA_DOWN: u16 = local(4);
/// Data that cannot be written.
pub const DATA_READ_ONLY: u16 = local(5);
/// 16-bit data that expands down.
pub const DATA_DOWN16: u16 = local(6);
// Number 7 is a segment that is not present.
/// Code that cannot be read.
pub const CODE_EXECUTE_ONLY: u16 = local(8);

const fn local(n: u16) -> u16 {
    n << 3 | 7
}

/// A descriptor of the local table, in the words of Linux' modify_ldt.
#[derive(Copy, Clone, Debug)]
pub struct Local {
    /// Base.
    pub base: u32,
    /// Limit as the descriptor counts it.
    pub limit: u32,
    /// The D/B bit.
    pub big: bool,
    /// 0 data, 1 expand-down data, 2 code.
    pub contents: u8,
    /// Read-only data, execute-only code.
    pub restricted: bool,
    /// The G bit.
    pub pages: bool,
    /// The P bit.
    pub present: bool,
}

impl Local {
    const WINDOW: Self = Self {
        base: LOW as u32,
        limit: 0xFFFF,
        big: true,
        contents: 0,
        restricted: false,
        pages: false,
        present: true,
    };

    /// The descriptor (SDM vol. 3, section 3.4.5): accessed, DPL 3, AVL clear.
    pub const fn descriptor(&self) -> u64 {
        let kind = self.contents << 2 | ((!self.restricted) as u8) << 1 | 1;
        descriptor(
            self.base,
            self.limit,
            kind | 0x70 | (self.present as u8) << 7,
            (self.big as u8) << 2 | (self.pages as u8) << 3,
        )
    }
}

/// The local descriptor table, by index.
pub const LOCALS: [Local; 9] = [
    Local {
        big: false,
        contents: 2,
        ..Local::WINDOW
    },
    Local {
        big: false,
        ..Local::WINDOW
    },
    Local {
        contents: 2,
        ..Local::WINDOW
    },
    Local {
        limit: DATA as u32 + 0x17FF,
        ..Local::WINDOW
    },
    Local {
        limit: DATA as u32 + 0x17FF,
        contents: 1,
        ..Local::WINDOW
    },
    Local {
        base: 0,
        limit: 0xF_FFFF,
        pages: true,
        restricted: true,
        ..Local::WINDOW
    },
    Local {
        limit: DATA as u32 + 0x17FF,
        contents: 1,
        big: false,
        ..Local::WINDOW
    },
    Local {
        present: false,
        ..Local::WINDOW
    },
    Local {
        contents: 2,
        restricted: true,
        ..Local::WINDOW
    },
];

/// A descriptor of base, limit, access byte and flags nibble.
pub const fn descriptor(base: u32, limit: u32, access: u8, flags: u8) -> u64 {
    (limit as u64 & 0xFFFF)
        | (base as u64 & 0xFF_FFFF) << 16
        | (access as u64) << 40
        | ((limit as u64 >> 16) & 0xF) << 48
        | (flags as u64) << 52
        | (base as u64 >> 24) << 56
}

/// The descriptor that a selector names among those of user mode.
pub fn user_descriptor(selector: u16) -> Option<u64> {
    match selector | 3 {
        CS32 => Some(descriptor(0, 0xF_FFFF, 0xFB, 0xC)),
        FLAT => Some(descriptor(0, 0xF_FFFF, 0xF3, 0xC)),
        CS64 => Some(descriptor(0, 0xF_FFFF, 0xFB, 0xA)),
        s if s & 4 != 0 => Some(LOCALS.get(usize::from(s >> 3))?.descriptor()),
        _ => None,
    }
}

/// The base of a descriptor.
pub const fn base_of(descriptor: u64) -> u32 {
    (descriptor >> 16 & 0xFF_FFFF) as u32 | ((descriptor >> 56) as u32) << 24
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_laid_out_as_the_manual_says() {
        // Flat 32-bit user code as every Linux has it, accessed.
        assert_eq!(user_descriptor(CS32), Some(0x00CF_FB00_0000_FFFF));
        // 16-bit code at 1000_0000h, 64 KiB, readable, accessed, DPL 3.
        assert_eq!(user_descriptor(CODE16), Some(0x1000_FB00_0000_FFFF));
        assert_eq!(base_of(0x1200_FB34_5678_FFFF), 0x1234_5678);
    }

    #[test]
    fn offsets_of_window_and_frames_are_the_same_places() {
        for at in (0..MEMORY_BYTES).step_by(0x123) {
            assert_eq!(frame_offset(window_offset(at)), Some(at));
        }
        assert_eq!(frame_offset(0x3000), None);
    }
}
