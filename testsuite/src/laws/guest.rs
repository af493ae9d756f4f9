//! The guests, and what is typed to keep them busy.

/// A step of a guest's script.
#[derive(Copy, Clone, Debug)]
pub enum Step {
    /// Go on when the screen shows this.
    Screen(&'static str),
    /// Go on when the last line of the screen is this.
    Prompt(&'static str),
    /// Type this.
    Type(&'static str),
    /// Let guest time pass, in milliseconds.
    Wait(u64),
}

use Step::{Prompt, Screen, Type, Wait};

/// A guest.
#[derive(Debug)]
pub struct Guest {
    pub name: &'static str,
    /// A file of the folder given with `--images`; the demo disk if none is named.
    pub image: Option<&'static str>,
    /// System and VGA BIOS from these files instead of ours.
    pub firmware: Option<[&'static str; 2]>,
    pub steps: &'static [Step],
}

const SEABIOS: [&str; 2] = [
    "/usr/share/seabios/bios.bin",
    "/usr/share/seabios/vgabios-stdvga.bin",
];

/// Every guest has the image in A: and an empty FAT file system on a hard disk.
pub const GUESTS: &[Guest] = &[
    Guest {
        name: "demo disk",
        image: None,
        firmware: None,
        steps: &[
            Screen("Demo disk"),
            Type("1"),
            Wait(300),
            Type(" "),
            Wait(300),
            Type("2"),
            Wait(300),
            Type(" "),
            Wait(300),
            Type("3"),
            Wait(300),
            Type(" "),
            Wait(300),
            Type("4"),
            Wait(500),
            Type(" "),
            Wait(300),
            Type("5"),
            Wait(500),
            Type(" "),
            Wait(300),
            Type("6"),
            Wait(500),
            Type(" "),
            Wait(300),
            Type("7"),
            Wait(1200),
            Type(" "),
            Wait(300),
            Type("8"),
            Wait(100),
            Type("qx7"),
            Wait(300),
            Type("\x1B"),
            Wait(300),
            Type("9"),
            Wait(300),
            Type(" "),
            Wait(300),
            Type("a"),
            Wait(300),
            Type(" "),
            Wait(300),
            Type("b"),
            Wait(900),
            Type(" "),
            Wait(300),
            Type("c"),
            Wait(900),
            Type(" "),
            Wait(300),
            Type("d"),
            Wait(900),
            Type(" "),
            Wait(300),
            Type("e"),
            Wait(300),
            Type(" "),
            Wait(500),
            Screen("Demo disk"),
        ],
    },
    Guest {
        name: "FreeDOS",
        image: Some("freedos-1440k.img"),
        firmware: None,
        steps: DOS,
    },
    Guest {
        name: "ELKS",
        image: Some("elks-1440k.img"),
        firmware: None,
        steps: &[
            Prompt("#"),
            Type("ls -l /bin\n"),
            Prompt("#"),
            Type("cp /bin/ls /root/new\n"),
            Prompt("#"),
            Type("ps; sync\n"),
            Prompt("#"),
            Type("cmp /bin/ls /root/new\n"),
            Prompt("#"),
        ],
    },
    Guest {
        name: "FreeDOS under SeaBIOS",
        image: Some("freedos-1440k.img"),
        firmware: Some(SEABIOS),
        steps: DOS,
    },
];

const DOS: &[Step] = &[
    Prompt("A:\\>"),
    Type("ver\n"),
    Prompt("A:\\>"),
    Type("dir\n"),
    Prompt("A:\\>"),
    Type("copy kernel.sys c:\\\n"),
    Prompt("A:\\>"),
    Type("copy c:\\kernel.sys a:\\new.sys\n"),
    Prompt("A:\\>"),
    Type("cls\n"),
    Prompt("A:\\>"),
    Type("dir c:\n"),
    Screen("KERNEL"),
    Prompt("A:\\>"),
    Type("del new.sys\n"),
    Prompt("A:\\>"),
    Type("type readme.txt\n"),
    Prompt("A:\\>"),
];
