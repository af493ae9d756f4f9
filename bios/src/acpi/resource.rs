//! Resource descriptors: ACPI Specification 2.0, section 6.4 ("Resource data types for ACPI").

/// What a device occupies.
#[derive(Clone, Debug)]
pub enum Descriptor {
    /// Ports, all sixteen address lines decoded: first, how many.
    Ports(u16, u8),
    /// An ISA interrupt: an edge, active high.
    Irq(u8),
    /// An ISA interrupt that several devices share: an edge, active high.
    SharedIrq(u8),
    /// An 8-bit DMA channel; `true`: as a bus master.
    Dma(u8, bool),
    /// Memory: first byte, how many; written or not.
    Memory { base: u32, bytes: u32 },
    /// PCI interrupts as the I/O APIC sees them: a level, active high, shared.
    Interrupts(Vec<u8>),
    /// Bus numbers that a bridge produces.
    Buses(u8, u8),
    /// Ports that a bridge passes on: first, last.
    PortWindow(u16, u16),
    /// Memory that a bridge passes on: first, last.
    MemoryWindow(u32, u32),
}

/// A template: the descriptors and an end tag, whose checksum of 0 is always right.
pub fn template(descriptors: &[Descriptor]) -> Vec<u8> {
    let mut bytes: Vec<u8> = descriptors.iter().flat_map(Descriptor::encode).collect();
    bytes.extend([0x79, 0x00]);
    bytes
}

/// A word address space descriptor: granularity 0, fixed at both ends, produced.
fn word_window(kind: u8, flags: u8, first: u16, last: u16) -> Vec<u8> {
    let mut bytes = vec![0x88, 0x0D, 0x00, kind, 0x0C, flags];
    let len = last.wrapping_sub(first).wrapping_add(1);
    for value in [0, first, last, 0, len] {
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

impl Descriptor {
    fn encode(&self) -> Vec<u8> {
        let mask16 = |n: u8| (1u16 << (n & 15)).to_le_bytes();
        match self {
            Self::Ports(first, count) => {
                let [low, high] = first.to_le_bytes();
                vec![0x47, 0x01, low, high, low, high, 0x01, *count]
            }
            Self::Irq(n) => [&[0x22][..], &mask16(*n)].concat(),
            Self::SharedIrq(n) => [&[0x23][..], &mask16(*n), &[0x11]].concat(),
            Self::Dma(n, master) => vec![0x2A, 1 << (n & 7), u8::from(*master) << 2],
            Self::Memory { base, bytes } => [
                &[0x86, 0x09, 0x00, 0x01][..],
                &base.to_le_bytes(),
                &bytes.to_le_bytes(),
            ]
            .concat(),
            Self::Interrupts(numbers) => {
                let count = numbers.len() as u8;
                let len = 2 + 4 * u16::from(count);
                // Consumer, level, active high, shared.
                let [low, high] = len.to_le_bytes();
                let mut bytes = vec![0x89, low, high, 0x09, count];
                for n in numbers {
                    bytes.extend(u32::from(*n).to_le_bytes());
                }
                bytes
            }
            Self::Buses(first, last) => word_window(2, 0, (*first).into(), (*last).into()),
            Self::PortWindow(first, last) => word_window(1, 0x03, *first, *last),
            Self::MemoryWindow(first, last) => {
                let mut bytes = vec![0x87, 0x17, 0x00, 0x00, 0x0C, 0x01];
                let len = last.wrapping_sub(*first).wrapping_add(1);
                for value in [0, *first, *last, 0, len] {
                    bytes.extend(value.to_le_bytes());
                }
                bytes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_descriptors_have_their_lengths_in_their_first_byte() {
        // Tables 6-20 (IRQ), 6-21 (DMA), 6-24 (I/O port).
        assert_eq!(
            template(&[Descriptor::Ports(0x3F8, 8), Descriptor::Irq(4)]),
            [
                0x47, 0x01, 0xF8, 0x03, 0xF8, 0x03, 0x01, 0x08, 0x22, 0x10, 0x00, 0x79, 0x00
            ]
        );
        assert_eq!(Descriptor::SharedIrq(3).encode(), [0x23, 0x08, 0x00, 0x11]);
        assert_eq!(Descriptor::Dma(2, false).encode(), [0x2A, 0x04, 0x00]);
    }

    #[test]
    fn large_descriptors_have_a_length_of_two_bytes() {
        assert_eq!(
            Descriptor::Interrupts(vec![10, 11]).encode(),
            [0x89, 0x0A, 0x00, 0x09, 2, 10, 0, 0, 0, 11, 0, 0, 0]
        );
        let window = Descriptor::MemoryWindow(0xE000_0000, 0xFEBF_FFFF).encode();
        assert_eq!(window.len(), 3 + 0x17);
        assert_eq!(window[22..], [0x00, 0x00, 0xC0, 0x1E]);
        let ports = Descriptor::PortWindow(0, 0xCF7).encode();
        assert_eq!(ports.len(), 3 + 0x0D);
        assert_eq!(ports[14..], [0xF8, 0x0C]);
    }
}
