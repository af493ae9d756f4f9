//! Reading an assembled image back as bytes.
//!
//! An image is one `global_asm!` of many text pieces, which the compiler's assembler turns into three
//! read-only sections of the host program:
//!
//! * the bytes of the ROM themselves,
//! * its symbols: for each a 32-bit offset and a zero-terminated name (macro `sym`),
//! * its checksums: for each table three 32-bit offsets, start, end and place of the checksum byte
//!   (macro `checksum`), because an assembler cannot sum up what it has just assembled.
//!
//! To add an image: write its text between `rom_begin NAME` and `rom_end NAME`, declare its six `boxwood_NAME_*` bounds below and assemble it in `bounds` and give it a
//! function such as [`built_system`]. All images of this crate may end up in one assembly unit: every
//! label, macro and `.set` of an image but the system BIOS carries the image's name as a prefix
//! (`vga_`).

/// A name inside an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symbol {
    /// Byte offset from the start of the image.
    pub offset: u32,
    pub name: String,
}

/// An assembled image, checksums filled in.
#[derive(Clone, Debug)]
pub struct Image {
    /// File name in `roms/`, without extension.
    pub name: &'static str,
    /// Linear address at which the image is linked (symbol files show linear addresses).
    pub base: u32,
    pub bytes: Vec<u8>,
    /// Sorted by offset.
    pub symbols: Vec<Symbol>,
}

impl Image {
    /// The symbol file: one `address name` pair a line.
    pub fn symbol_file(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for symbol in &self.symbols {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{:08x} {}", self.base + symbol.offset, symbol.name);
        }
        text
    }

    /// The offset of a symbol.
    pub fn offset_of(&self, name: &str) -> Option<u32> {
        let found = self.symbols.iter().find(|symbol| symbol.name == name)?;
        Some(found.offset)
    }
}

/// Makes byte `place` such that the bytes from `start` to `end` sum up to 0 modulo 256.
pub fn fill_checksum(bytes: &mut [u8], start: usize, end: usize, place: usize) {
    bytes[place] = 0;
    let sum = bytes[start..end]
        .iter()
        .fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    bytes[place] = sum.wrapping_neg();
}

/// The three sections of one image as they stand in the host program.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
struct Sections {
    text: &'static [u8],
    symbols: &'static [u8],
    checksums: &'static [u8],
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
impl Sections {
    /// Sections to image: parses the symbols, fills in the checksums in the order of their listing.
    fn into_image(self, name: &'static str, base: u32) -> Image {
        let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let mut bytes = self.text.to_vec();
        for entry in self.checksums.chunks_exact(12) {
            let [start, end, place] = [0, 4, 8].map(|at| word(&entry[at..]) as usize);
            fill_checksum(&mut bytes, start, end, place);
        }
        let mut symbols = Vec::new();
        let mut rest = self.symbols;
        while rest.len() > 4 {
            let length = rest[4..].iter().position(|&byte| byte == 0).unwrap_or(0);
            symbols.push(Symbol {
                offset: word(rest),
                name: String::from_utf8_lossy(&rest[4..4 + length]).into_owned(),
            });
            rest = &rest[4 + length + 1..];
        }
        symbols.sort();
        Image {
            name,
            base,
            bytes,
            symbols,
        }
    }
}

/// The assembler macros that every image begins with. They guard themselves, because the compiler may
/// put several images into one assembly unit.
///
/// * `rom_begin NAME` .. `rom_end NAME`: bounds of the image and of its symbol and checksum lists,
/// * `rom_symbol NAME, LABEL`: lists a label in the symbol file,
/// * `rom_checksum NAME, START, END, PLACE`: makes the bytes from START to END sum up to 0.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
macro_rules! prelude {
    () => {
        r#"
.ifndef boxwood_prelude
.set boxwood_prelude, 1
.macro rom_bound image, part, edge
    .globl boxwood_\image\()_\part\()_\edge
    .hidden boxwood_\image\()_\part\()_\edge
boxwood_\image\()_\part\()_\edge:
.endm
.macro rom_section image, part
    .pushsection .rodata.boxwood_\image\()_\part, "a", @progbits
.endm
.macro rom_begin image
    rom_section \image, symbols
    rom_bound \image, symbols, start
    .popsection
    rom_section \image, checksums
    rom_bound \image, checksums, start
    .popsection
    rom_section \image, text
    .balign 16
    rom_bound \image, text, start
.Lboxwood_\image\()_origin:
    .code16
.endm
.macro rom_symbol image, label
    rom_section \image, symbols
    .long \label - .Lboxwood_\image\()_origin
    .asciz "\label"
    .popsection
.endm
.macro rom_checksum image, start, end, place
    rom_section \image, checksums
    .long \start - .Lboxwood_\image\()_origin
    .long \end - .Lboxwood_\image\()_origin
    .long \place - .Lboxwood_\image\()_origin
    .popsection
.endm
.macro rom_end image
    rom_bound \image, text, end
    .popsection
    rom_section \image, symbols
    rom_bound \image, symbols, end
    .popsection
    rom_section \image, checksums
    rom_bound \image, checksums, end
    .popsection
    .code64
.endm
.endif
"#
    };
}
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[expect(
    unsafe_code,
    reason = "the image is assembled here and reached through extern statics"
)]
mod bounds {
    use super::Sections;

    // Text only: these blocks define labels in read-only sections and contain no code that the host runs.
    std::arch::global_asm!(
        prelude!(),
        crate::system::listing!(),
        options(att_syntax, raw)
    );
    std::arch::global_asm!(prelude!(), crate::vga::listing!(), options(att_syntax, raw));
    std::arch::global_asm!(
        prelude!(),
        crate::linux_boot::listing!(),
        options(att_syntax, raw)
    );

    // SAFETY: each is a label that `rom_begin` or `rom_end` puts at the bound of a read-only section;
    // only their addresses are used.
    unsafe extern "C" {
        static boxwood_system_text_start: u8;
        static boxwood_system_text_end: u8;
        static boxwood_system_symbols_start: u8;
        static boxwood_system_symbols_end: u8;
        static boxwood_system_checksums_start: u8;
        static boxwood_system_checksums_end: u8;
        static boxwood_vga_text_start: u8;
        static boxwood_vga_text_end: u8;
        static boxwood_vga_symbols_start: u8;
        static boxwood_vga_symbols_end: u8;
        static boxwood_vga_checksums_start: u8;
        static boxwood_vga_checksums_end: u8;
        static boxwood_linux_boot_text_start: u8;
        static boxwood_linux_boot_text_end: u8;
        static boxwood_linux_boot_symbols_start: u8;
        static boxwood_linux_boot_symbols_end: u8;
        static boxwood_linux_boot_checksums_start: u8;
        static boxwood_linux_boot_checksums_end: u8;
    }

    /// The bytes between two labels.
    ///
    /// # Safety
    /// Both labels stand in the same read-only section, `start` not behind `end`.
    unsafe fn between(start: *const u8, end: *const u8) -> &'static [u8] {
        let length = (end as usize).saturating_sub(start as usize);
        // SAFETY: the caller's promise; a read-only section lives as long as the program.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    pub(super) fn system() -> Sections {
        // SAFETY: start and end labels of one section each, see `rom_begin` and `rom_end`.
        unsafe {
            Sections {
                text: between(
                    &raw const boxwood_system_text_start,
                    &raw const boxwood_system_text_end,
                ),
                symbols: between(
                    &raw const boxwood_system_symbols_start,
                    &raw const boxwood_system_symbols_end,
                ),
                checksums: between(
                    &raw const boxwood_system_checksums_start,
                    &raw const boxwood_system_checksums_end,
                ),
            }
        }
    }

    pub(super) fn vga() -> Sections {
        // SAFETY: start and end labels of one section each, see `rom_begin` and `rom_end`.
        unsafe {
            Sections {
                text: between(
                    &raw const boxwood_vga_text_start,
                    &raw const boxwood_vga_text_end,
                ),
                symbols: between(
                    &raw const boxwood_vga_symbols_start,
                    &raw const boxwood_vga_symbols_end,
                ),
                checksums: between(
                    &raw const boxwood_vga_checksums_start,
                    &raw const boxwood_vga_checksums_end,
                ),
            }
        }
    }

    pub(super) fn linux_boot() -> Sections {
        // SAFETY: start and end labels of one section each, see `rom_begin` and `rom_end`.
        unsafe {
            Sections {
                text: between(
                    &raw const boxwood_linux_boot_text_start,
                    &raw const boxwood_linux_boot_text_end,
                ),
                symbols: between(
                    &raw const boxwood_linux_boot_symbols_start,
                    &raw const boxwood_linux_boot_symbols_end,
                ),
                checksums: between(
                    &raw const boxwood_linux_boot_checksums_start,
                    &raw const boxwood_linux_boot_checksums_end,
                ),
            }
        }
    }
}

/// The system BIOS as the compiler has just assembled it.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
///
/// The first half of the 8x8 character set stands at F000:FA6E too, where programs of the IBM PC look for it:
/// it is copied from the VGA BIOS.
pub fn built_system() -> Image {
    let mut image = bounds::system().into_image("bios", 0xf_0000);
    let vga = built_vga();
    if let (Some(from), Some(to)) = (vga.offset_of("vga_font_8x8"), image.offset_of("font_8x8")) {
        let (from, to) = (from as usize, to as usize);
        image.bytes[to..to + 1024].copy_from_slice(&vga.bytes[from..from + 1024]);
    }
    image
}

/// The VGA BIOS as the compiler has just assembled it.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub fn built_vga() -> Image {
    bounds::vga().into_image("vgabios", 0xc_0000)
}

/// The Linux loader as the compiler has just assembled it; it runs in any segment.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub fn built_linux_boot() -> Image {
    bounds::linux_boot().into_image("linux-boot", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_byte_makes_its_table_sum_up_to_zero() {
        let mut bytes = [1, 2, 3, 0xff, 5, 6];
        fill_checksum(&mut bytes, 1, 5, 3);
        assert_eq!(bytes, [1, 2, 3, 0xf6, 5, 6]);
    }

    #[test]
    fn a_symbol_file_line_is_linear_address_and_name() {
        let image = Image {
            name: "x",
            base: 0xf_0000,
            bytes: Vec::new(),
            symbols: vec![Symbol {
                offset: 0xe05b,
                name: "post".into(),
            }],
        };
        assert_eq!(image.symbol_file(), "000fe05b post\n");
        assert_eq!(image.offset_of("post"), Some(0xe05b));
        assert_eq!(image.offset_of("none"), None);
    }
}
