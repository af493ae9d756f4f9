//! Addresses that are not canonical, at every place where one is formed (SDM vol. 1, section 3.3.7.1).

use super::super::layout::*;
use super::Builder;
use super::long::NOT_CANONICAL;

/// Operands of 1 to 16 bytes at [RDX] and at [RBP], and what moves more than once.
const AT_RDX: [&[u8]; 26] = [
    &[0x8A, 0x02],
    &[0x88, 0x02],
    &[0x8B, 0x02],
    &[0x48, 0x8B, 0x02],
    &[0x48, 0x89, 0x02],
    &[0x48, 0x01, 0x02],
    &[0x8A, 0x45, 0x00],
    &[0x48, 0x89, 0x45, 0x00],
    &[0x64, 0x8A, 0x02],
    &[0x65, 0x48, 0x89, 0x02],
    &[0x36, 0x8A, 0x02],
    &[0x48, 0x0F, 0xC7, 0x0A],
    &[0xDB, 0x2A],
    &[0xDD, 0x02],
    &[0xFF, 0x32],
    &[0x8F, 0x02],
    &[0xFF, 0x22],
    &[0xFF, 0x12],
    &[0x48, 0xFF, 0x1A],
    &[0x48, 0x0F, 0xA3, 0x02],
    &[0x0F, 0x01, 0x3A],
    &[0x0F, 0x18, 0x0A],
    &[0x0F, 0xAE, 0x3A],
    &[0x0F, 0x1F, 0x02],
    &[0x48, 0x8D, 0x02],
    &[0x0F, 0x01, 0x02],
];
const BY_STACK: [&[u8]; 11] = [
    &[0x50],
    &[0x66, 0x50],
    &[0x58],
    &[0x9C],
    &[0x9D],
    &[0xE8, 0, 0, 0, 0],
    &[0xC3],
    &[0xC8, 8, 0, 0],
    &[0xC8, 8, 0, 2],
    &[0xC9],
    &[0xFF, 0x34, 0x24],
];
const TARGETS: [&[u8]; 4] = [&[0xFF, 0xE2], &[0xFF, 0xD2], &[0xC3], &[0xC2, 8, 0]];

impl Builder {
    /// The last bytes below and the first above the hole, and others.
    fn around_the_hole(&mut self) -> u64 {
        match self.rng.below(6) {
            0 | 1 => 0x8000_0000_0000 - self.rng.below(20),
            2 => 0xFFFF_8000_0000_0000 - self.rng.below(20),
            3 => self.rng.below(20).wrapping_sub(10),
            4 => self.either_half(DATA + 0x100),
            _ => self.pick(&NOT_CANONICAL),
        }
    }

    pub fn canonical(&mut self) {
        if !self.case.is_64_bit() && !self.one_in(8) {
            self.long().code = true;
            let ring = self.case.cpl();
            self.at_ring(ring, true);
        }
        let at = self.around_the_hole();
        match self.rng.below(8) {
            0..=2 => {
                let base = self.rng.below(3);
                let msrs = &mut self.long().msrs;
                // FS and GS: the sum counts.
                (msrs[0], msrs[1]) = match base {
                    0 => (0x1000, 0x7FFF_FFFF_FFF0),
                    1 => (0xFFFF_8000_0000_0000, 0x8000),
                    _ => (0, 0),
                };
                self.set_register(2, at);
                self.set_register(4, at);
                let high = self.rng.next_u64() & 0x3F;
                self.set_register(0, high);
                let code = self.pick(&AT_RDX);
                self.emit(code);
            }
            3 | 4 => {
                // The stack.
                self.case.esp = at as u32;
                self.long().rsp_upper = (at >> 32) as u32;
                let frame = at.wrapping_add(self.rng.below(12));
                self.set_register(4, frame);
                let code = self.pick(&BY_STACK);
                self.emit(code);
            }
            5 | 6 => {
                self.set_register(2, at);
                self.stack_of_width(8, &[at]);
                let code = self.pick(&TARGETS);
                self.emit(code);
            }
            _ => {
                // Strings that run into it.
                let count = self.rng.below(6);
                self.set_register(1, count);
                let (source, destination) = if self.one_in(2) {
                    (at, u64::from(DATA))
                } else {
                    (u64::from(DATA), at)
                };
                self.set_register(5, source);
                self.set_register(6, destination);
                let code: &[u8] = self.pick(&[
                    &[0xF3, 0xA4][..],
                    &[0xF3, 0x48, 0xA5],
                    &[0xF3, 0xAB],
                    &[0xF3, 0xAC],
                    &[0xF2, 0xAE],
                    &[0xF3, 0xA6],
                    &[0x48, 0xA5],
                ]);
                self.emit(code);
            }
        }
    }
}
