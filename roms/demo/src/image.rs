//! The disk as the compiler has just assembled it: its text is assembled into a read-only section of the host
//! program and read back through extern statics.

#[expect(
    unsafe_code,
    reason = "the image is assembled here and reached through extern statics"
)]
mod bounds {
    // Text only: this block defines labels in a read-only section and contains no code that the host runs.
    std::arch::global_asm!(crate::listing!(), options(att_syntax, raw));

    // SAFETY: labels at the bounds of the read-only section above; only their addresses are used.
    unsafe extern "C" {
        static boxwood_demo_start: u8;
        static boxwood_demo_end: u8;
    }

    pub(super) fn image() -> &'static [u8] {
        let start = &raw const boxwood_demo_start;
        let length = (&raw const boxwood_demo_end as usize).saturating_sub(start as usize);
        // SAFETY: both labels stand in one section, which lives as long as the program.
        unsafe { std::slice::from_raw_parts(start, length) }
    }
}

/// The disk's first sectors: all that is not zero.
pub fn built() -> &'static [u8] {
    bounds::image()
}
