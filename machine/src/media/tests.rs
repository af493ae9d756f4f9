use super::*;
use emu_core::host::BlockError;

/// A directory of its own for a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("boxwood-media-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn iso() -> Vec<u8> {
    let mut b = vec![0; 40 * 2048];
    b[0x8001..0x8006].copy_from_slice(b"CD001");
    b
}

fn sentence(result: Result<impl Sized, MediaError>) -> String {
    match result {
        Ok(_) => panic!("it was taken"),
        Err(e) => {
            let s = e.to_string();
            s.split_once(": ").unwrap().1.to_string()
        }
    }
}

const RW: OpenOptions = OpenOptions {
    read_only: false,
    snapshot: false,
};

#[test]
fn kinds_are_recognised_from_contents_and_size() {
    let f = Folder::new("recognise");
    for (kib, sectors) in [
        (160, 8),
        (360, 9),
        (1200, 15),
        (1440, 18),
        (1680, 21),
        (2880, 36),
    ] {
        let path = f.file("a.img", &vec![0; kib * 1024]);
        match recognise(&path).unwrap() {
            MediumKind::Floppy(g) => assert_eq!(g.sectors, sectors),
            other => panic!("{other:?}"),
        }
    }
    let mut hybrid = iso();
    hybrid[510..512].copy_from_slice(&[0x55, 0xAA]);
    assert_eq!(
        recognise(&f.file("a.iso", &hybrid)).unwrap(),
        MediumKind::Cdrom
    );
    assert_eq!(
        recognise(&f.file("c", &vec![0; 3 << 20])).unwrap(),
        MediumKind::HardDisk
    );
    let mut small = vec![0; 1 << 20];
    small[510..512].copy_from_slice(&[0x55, 0xAA]);
    match recognise(&f.file("d", &small)).unwrap() {
        MediumKind::Floppy(g) => assert_eq!(g.sectors, 18, "a boot sector alone is no hard disk"),
        other => panic!("{other:?}"),
    }
    small[446] = 0x80;
    small[450] = 0x06;
    assert_eq!(
        recognise(&f.file("d", &small)).unwrap(),
        MediumKind::HardDisk
    );
}

#[test]
fn each_bad_image_gets_its_own_sentence() {
    let f = Folder::new("bad");
    let says =
        |name: &str, bytes: &[u8], slot: DriveSlot| sentence(open(&f.file(name, bytes), slot, RW));
    let missing = f.0.join("missing.img");
    assert_eq!(
        sentence(recognise(&missing)),
        "there is no such file; check the path"
    );
    assert!(sentence(recognise(&f.0)).starts_with("is a directory"));
    assert!(sentence(open(&f.0, DriveSlot::HardDisk, RW)).starts_with("is a directory"));
    assert!(says("empty", b"", DriveSlot::HardDisk).starts_with("is empty (0 bytes)"));
    assert!(says("cut", &[0; 1000], DriveSlot::Floppy).starts_with("1000 bytes are no floppy"));
    assert!(says("tiny", &[0; 100], DriveSlot::HardDisk).starts_with("100 bytes are neither"));
    assert!(says("cd", &[0; 1 << 17], DriveSlot::Cdrom).starts_with("is no CD-ROM image"));
    let q = says("q", b"QFI\xFB\0\0\0\x03 and more", DriveSlot::HardDisk);
    assert!(
        q.starts_with("is a qcow image") && q.contains("qemu-img convert"),
        "{q}"
    );
    #[cfg(unix)]
    assert!(sentence(recognise(Path::new("/dev/null"))).starts_with("is no regular file"));
    let denied = io_error(Path::new("x"), io::ErrorKind::PermissionDenied.into());
    assert!(
        denied
            .to_string()
            .starts_with("x: cannot be read: permission denied")
    );
}

#[test]
fn a_bootable_floppy_without_its_last_sectors_is_padded_unless_its_own_header_misses_them() {
    let f = Folder::new("trimmed");
    let mut image = vec![3; 1296384];
    image[..512].fill(0);
    image[510..512].copy_from_slice(&[0x55, 0xAA]);
    let mut disk = open(&f.file("grub", &image), DriveSlot::Floppy, RW).unwrap();
    assert_eq!(disk.sectors(), 2880);
    let mut b = [1; 1024];
    disk.read(2531, &mut b).unwrap();
    assert_eq!((b[511], b[512]), (3, 0));
    // A FAT of 2880 sectors, cut short.
    image[11..13].copy_from_slice(&512u16.to_le_bytes());
    image[19..21].copy_from_slice(&2880u16.to_le_bytes());
    let cut = f.file("cut", &image);
    assert!(sentence(open(&cut, DriveSlot::Floppy, RW)).ends_with("is the file cut short?"));
    assert!(recognise(&cut).is_err());
}

#[test]
fn sectors_are_read_and_written_where_they_belong() {
    let f = Folder::new("rw");
    let path = f.file("a.img", &vec![7; 3 << 20]);
    let mut disk = open(&path, DriveSlot::HardDisk, RW).unwrap();
    assert_eq!(disk.sectors(), 6144);
    disk.write(5, &[9; 1024]).unwrap();
    let mut b = [0; 2048];
    disk.read(4, &mut b).unwrap();
    assert_eq!((b[0], b[512], b[1535], b[1536]), (7, 9, 9, 7));
    disk.flush().unwrap();
    drop(disk);
    assert_eq!(std::fs::read(&path).unwrap()[5 * 512], 9);
    let mut disk = open(&path, DriveSlot::HardDisk, RW).unwrap();
    assert!(matches!(
        disk.read(6143, &mut b),
        Err(BlockError::OutOfRange {
            lba: 6143,
            end: 6147
        })
    ));
    assert!(matches!(
        disk.write(u64::MAX, &b),
        Err(BlockError::OutOfRange { .. })
    ));
}

#[test]
fn a_file_that_ends_inside_a_sector_is_padded_with_zeros() {
    let f = Folder::new("pad");
    let path = f.file("a.img", &vec![7; 700]);
    let mut disk = open(&path, DriveSlot::HardDisk, RW).unwrap();
    assert_eq!(disk.sectors(), 2);
    let mut b = [1; 1024];
    disk.read(0, &mut b).unwrap();
    assert_eq!((b[699], b[700], b[1023]), (7, 0, 0));
    disk.write(1, &[8; 512]).unwrap();
    drop(disk);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 1024);
}

#[test]
fn read_only_and_snapshot_leave_the_file_alone() {
    let f = Folder::new("ro");
    let path = f.file("a.img", &vec![7; 1440 * 1024]);
    let read_only = OpenOptions {
        read_only: true,
        snapshot: false,
    };
    let mut disk = open(&path, DriveSlot::Floppy, read_only).unwrap();
    assert!(disk.read_only());
    assert!(matches!(
        disk.write(0, &[0; 512]),
        Err(BlockError::ReadOnly)
    ));
    let snapshot = OpenOptions {
        read_only: false,
        snapshot: true,
    };
    let mut other = open(&path, DriveSlot::Floppy, snapshot).unwrap();
    assert!(!other.read_only());
    other.write(3, &[1; 1024]).unwrap();
    let mut b = [0; 2048];
    other.read(2, &mut b).unwrap();
    assert_eq!((b[0], b[512], b[1535], b[1536]), (7, 1, 1, 7));
    assert!(matches!(
        other.write(2879, &[0; 1024]),
        Err(BlockError::OutOfRange { .. })
    ));
    drop((disk, other));
    assert!(std::fs::read(&path).unwrap().iter().all(|b| *b == 7));
    let cd = open(&f.file("a.iso", &iso()), DriveSlot::Cdrom, RW).unwrap();
    assert!(cd.read_only());
    assert_eq!(cd.sectors(), 160);
}

#[test]
fn an_image_has_one_writer() {
    let f = Folder::new("lock");
    let path = f.file("a.img", &vec![7; 3 << 20]);
    let snapshot = OpenOptions {
        read_only: false,
        snapshot: true,
    };
    let writer = open(&path, DriveSlot::HardDisk, RW).unwrap();
    assert!(sentence(open(&path, DriveSlot::HardDisk, RW)).starts_with("is in use"));
    assert!(sentence(open(&path, DriveSlot::HardDisk, snapshot)).starts_with("is in use"));
    drop(writer);
    let _one = open(&path, DriveSlot::HardDisk, snapshot).unwrap();
    let _two = open(&path, DriveSlot::HardDisk, snapshot).unwrap();
    assert!(sentence(open(&path, DriveSlot::HardDisk, RW)).starts_with("is in use"));
}
