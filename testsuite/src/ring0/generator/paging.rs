//! Accesses through page-table entries with every bit (SDM vol. 3, chapter 4).

use super::super::case::*;
use super::super::layout::*;
use super::super::sandbox::*;
use super::Builder;

/// The window's entry in the page directory, and in PAE's.
const ENTRY: u32 = DIRECTORY + 4 * (WINDOW >> 22);
const PAE_ENTRY: u32 = PAE_DIRECTORY + 8 * (WINDOW >> 21);

impl Builder {
    pub fn page(&mut self) {
        let ring = self.pick(&[0, 0, 3, 3, 3, 1]);
        self.at_ring(ring, true);
        self.case.data = [of_ring(DATA_32, 3); 4];
        if ring == 3 || self.one_in(8) {
            self.case.eflags &= !(1 << 18);
        }
        let fetch = self.one_in(4);
        if fetch {
            let code = vec![0xCC; 0x2000];
            self.case.sandbox.put(DATA, &code);
        }
        let pae = self.case.cr4 & CR4_PAE != 0 || self.one_in(3);
        let window = if self.case.long.is_some() {
            self.long_window()
        } else if pae {
            WINDOW + self.pae_window()
        } else {
            WINDOW + self.window()
        };
        // Around the boundary of two pages, or anywhere in the first.
        let within = match self.rng.below(3) {
            0 => 0x1000 - self.rng.below(5) as u32,
            1 => self.rng.below(0xFF0) as u32,
            _ => 0xFFC,
        };
        let at = window + within;
        self.case.registers[2] = at;
        let high = self.one_in(3);
        if let Some(long) = &mut self.case.long
            && high
            && long.code
        {
            let upper = (HIGH_HALF >> 32) as u32;
            long.upper[2] = upper;
            long.upper[6] = upper;
            long.rsp_upper = upper;
        }
        if fetch {
            match self.rng.below(3) {
                0 => self.emit(&[0xFF, 0xE2]),
                1 => self.emit(&[0xFF, 0xD2]),
                _ => {
                    // MOV EAX, imm32 that may lie in both pages.
                    let bytes = [0xB8, 1, 2, 3, 4];
                    let place = DATA + within;
                    self.case.sandbox.put(place, &bytes);
                    self.emit(&[0xFF, 0xE2]);
                }
            }
            return;
        }
        match self.rng.below(9) {
            0 => self.emit(&[0x8B, 0x02]),
            1 => self.emit(&[0x89, 0x02]),
            2 => self.emit(&[0x01, 0x02]),
            3 => self.emit(&[0x8A, 0x02]),
            4 => self.emit(&[0x66, 0x89, 0x02]),
            5 => {
                // MOV ESP, EDX; PUSH or CALL.
                self.case.esp = at;
                if self.case.ss >= DATA_16 {
                    self.case.ss = of_ring(DATA_32, ring);
                }
                let code: &[u8] = self.pick(&[
                    &[0x50][..],
                    &[0x60],
                    &[0xE8, 0, 0, 0, 0],
                    &[0xC8, 8, 0, 2],
                    &[0x58],
                ]);
                // In ring 0 an exception's frame would be in the window too: what comes then is a double fault.
                self.emit(code);
            }
            6 => {
                self.case.registers[6] = at;
                self.case.registers[5] = DATA;
                self.case.registers[1] = 4;
                self.case.eflags &= !(1 << 10);
                self.emit(&[0xF3, 0xA5]);
            }
            7 => {
                // CMPXCHG, LOCK: writes whether it is equal or not.
                self.emit(&[0xF0, 0x0F, 0xB1, 0x0A]);
            }
            _ => self.emit(&[0xDF, 0x2A]),
        }
    }

    pub fn entry_flags(&mut self, often: u64) -> u64 {
        let mut f = 7;
        for bit in [0u64, 1, 2] {
            if self.rng.below(often) == 0 {
                f &= !(1 << bit);
            }
        }
        // PWT, PCD, A, D, bit 7, G and what software may have.
        f | self.rng.next_u64() & 0xF78
    }

    /// 32-bit paging. Returns what to add to the window's address.
    fn window(&mut self) -> u32 {
        if self.one_in(2) {
            self.case.cr4 |= CR4_PSE;
        }
        if self.one_in(4) {
            self.case.cr4 |= 1 << 7;
        }
        let entry = self.entry_flags(5);
        if self.one_in(4) {
            // A page of 4 MiB: the first; bit 21 is reserved.
            let reserved = if self.one_in(6) { 1 << 21 } else { 0 };
            let entry = entry | 0x80 | reserved;
            if self.case.cr4 & CR4_PSE != 0 {
                self.case.sandbox.put32(ENTRY, entry as u32);
                return DATA;
            }
            self.case
                .sandbox
                .put32(ENTRY, entry as u32 & 0x1FFF | TABLE);
        } else {
            self.case.sandbox.put32(ENTRY, entry as u32 & !0x80 | TABLE);
        }
        for n in 0..2 {
            // The PAT bit makes no difference to anything seen here.
            let entry = self.entry_flags(4) & !0x80;
            self.case
                .sandbox
                .put32(TABLE + 4 * n, entry as u32 | (DATA + 0x1000 * n));
        }
        0
    }

    /// PAE, mostly with execute disable.
    fn pae_window(&mut self) -> u32 {
        self.use_pae();
        if !self.one_in(3) {
            self.case.efer = 1 << 11;
        }
        let entry = self.entry_flags(5) | self.high_bits();
        if self.one_in(4) {
            let reserved = if self.one_in(6) { 1 << 13 } else { 0 };
            self.case.sandbox.put64(PAE_ENTRY, entry | 0x80 | reserved);
            return DATA;
        }
        self.case
            .sandbox
            .put64(PAE_ENTRY, entry & !0x80 | u64::from(TABLE));
        for n in 0..2 {
            let entry = self.entry_flags(4) & !0x80 | self.high_bits();
            let frame = u64::from(DATA + 0x1000 * n);
            self.case.sandbox.put64(TABLE + 8 * n, entry | frame);
        }
        0
    }

    /// Execute disable, and reserved bits at times.
    pub fn high_bits(&mut self) -> u64 {
        let mut bits = 0;
        if self.one_in(4) {
            bits |= 1 << 63;
        }
        if self.one_in(16) {
            bits |= 1 << (52 + self.rng.below(11));
        }
        bits
    }
}
