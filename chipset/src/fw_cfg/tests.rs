use super::*;
use emu_core::testkit::{Bench, conformance, golden};

fn device() -> FwCfg {
    let contents = Contents::new(64 << 20, 2)
        .item(0x8000, [1, 2, 3])
        .file("etc/z", [0x5A; 5])
        .and_then(|c| c.file("bootorder", *b"/pci@i0cf8\n\0"))
        .expect("good names");
    FwCfg::new(contents).expect("small items")
}

fn bench() -> Bench<FwCfg> {
    Bench::new(|_| device())
}

fn read(b: &mut Bench<FwCfg>, item: u16, n: usize) -> Vec<u8> {
    b.write(0x510, Width::Word, item.into());
    (0..n).map(|_| b.inb(0x511)).collect()
}

/// Runs a DMA access and gives the control field that it leaves.
fn dma(b: &mut Bench<FwCfg>, control: u32, length: u32, address: u64) -> u32 {
    let at = 0x10_0000;
    b.ram.write(at, &control.to_be_bytes());
    b.ram.write(at + 4, &length.to_be_bytes());
    b.ram.write(at + 8, &address.to_be_bytes());
    b.write(0x514, Width::Dword, 0);
    b.write(0x518, Width::Dword, (at as u32).swap_bytes());
    b.ram.read_u32(at).swap_bytes()
}

#[test]
fn it_keeps_the_laws_of_devices() {
    conformance(|_| device());
}

#[test]
fn the_signature_and_the_features_are_where_firmware_looks() {
    let mut b = bench();
    assert_eq!(read(&mut b, 0x00, 4), b"QEMU");
    assert_eq!(read(&mut b, 0x01, 4), [3, 0, 0, 0]);
    assert_eq!(read(&mut b, 0x03, 8), (64u64 << 20).to_le_bytes());
    assert_eq!(read(&mut b, 0x05, 2), [2, 0]);
    assert_eq!(read(&mut b, 0x0F, 2), [2, 0]);
    assert_eq!(read(&mut b, 0x8000, 4), [1, 2, 3, 0]);
}

#[test]
fn reads_past_the_end_and_of_no_item_give_zeros() {
    let mut b = bench();
    assert_eq!(read(&mut b, 0x00, 6), b"QEMU\0\0");
    assert_eq!(read(&mut b, 0x3FFF, 3), [0; 3]);
}

#[test]
fn the_write_bit_of_the_selector_does_not_change_the_item() {
    let mut b = bench();
    assert_eq!(read(&mut b, 0x4000, 4), b"QEMU");
    b.outb(0x511, 0);
    assert_eq!(read(&mut b, 0x0000, 4), b"QEMU");
}

#[test]
fn the_directory_lists_the_files_by_name() {
    let mut b = bench();
    let d = read(&mut b, 0x19, 4 + 2 * 64);
    assert_eq!(d[..4], [0, 0, 0, 2]);
    let first = &d[4..68];
    assert_eq!(first[..8], [0, 0, 0, 12, 0, 0x20, 0, 0]);
    assert_eq!(&first[8..18], b"bootorder\0");
    let second = &d[68..];
    assert_eq!(second[..8], [0, 0, 0, 5, 0, 0x21, 0, 0]);
    assert_eq!(&second[8..14], b"etc/z\0");
    assert_eq!(read(&mut b, 0x21, 5), [0x5A; 5]);
}

#[test]
fn dma_selects_skips_and_reads() {
    let mut b = bench();
    b.ram.fill(0x2000, 16, 0xEE);
    assert_eq!(dma(&mut b, (0x20 << 16) | 0x0A, 4, 0x2000), 0);
    assert_eq!(dma(&mut b, 0x04, 3, 0), 0);
    assert_eq!(dma(&mut b, 0x02, 6, 0x2004), 0);
    let mut bytes = [0; 12];
    b.ram.read(0x2000, &mut bytes);
    assert_eq!(&bytes, b"/pcicf8\n\0\0\xEE\xEE");
}

#[test]
fn dma_writes_and_endless_reads_fail_with_the_error_bit() {
    let mut b = bench();
    assert_eq!(dma(&mut b, (0x20 << 16) | 0x18, 4, 0x2000), 1);
    assert_eq!(dma(&mut b, (0x20 << 16) | 0x0A, u32::MAX, 0x2000), 1);
    assert_eq!(dma(&mut b, 0, 0, 0), 0);
}

#[test]
fn the_dma_register_reads_as_its_signature() {
    let mut b = bench();
    let bytes: Vec<u8> = (0..8).map(|i| b.inb(0x514 + i)).collect();
    assert_eq!(bytes, b"QEMU CFG");
    assert_eq!(b.read(0x518, Width::Dword).to_le_bytes(), *b" CFG");
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let long = "x".repeat(56);
    for name in ["", "a\0b", &long] {
        let refused = Contents::default().file(name, []);
        assert_eq!(refused.unwrap_err(), ContentsError::Name(name.into()));
    }
    let twice = Contents::default()
        .file("a", [])
        .and_then(|c| c.file("a", []));
    assert_eq!(twice.unwrap_err(), ContentsError::Duplicate("a".into()));
    assert!(Contents::default().file("x".repeat(55), []).is_ok());
}

#[test]
fn a_state_saved_by_version_1_still_loads() {
    golden(
        |_| device(),
        concat!(env!("CARGO_MANIFEST_DIR"), "/src/fw_cfg"),
    );
}
