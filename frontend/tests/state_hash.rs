//! `state_hash` of `--stats`: the same command gives it twice, and a run that was saved and taken up again ends with
//! that of the unbroken run.
//!
//! `--clock realtime` gives another one by design: its real-time clock starts with the host's date.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const INSNS: u64 = 1_500_000;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// Runs the demo disk to [`INSNS`] and gives its state hash.
    fn state_hash(&self, more: &[String]) -> String {
        let out = Command::new(env!("CARGO_BIN_EXE_boxwood"))
            .args(["--display", "none", "--mem", "2M", "--ips", "1000003"])
            .args(["--stats", "stats.json", "--timeout-insns"])
            .arg(INSNS.to_string())
            .args(more)
            .current_dir(&self.0)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(0), "{more:?}: {said}");
        let json = fs::read_to_string(self.0.join("stats.json")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["insns"]["total"].as_u64(), Some(INSNS));
        json["state_hash"].as_str().unwrap().to_string()
    }
}

#[test]
fn the_same_command_gives_the_same_state_hash_and_so_does_a_restored_run() {
    let f = Folder::new("state-hash");
    let expected = f.state_hash(&[]);
    assert_eq!(f.state_hash(&[]), expected);
    let at_seed = f.state_hash(&["--seed".into(), "5".into()]);
    assert_ne!(at_seed, expected, "other memory at power-on, the same hash");
    // Points without a pattern, from 0 on.
    let points: Vec<u64> = (0..20)
        .scan(0u64, |x, _| {
            let point = *x % INSNS;
            *x = x
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            Some(point)
        })
        .collect();
    let saves: Vec<String> = points
        .iter()
        .flat_map(|n| ["--save-at".into(), format!("{n}={n}.snap")])
        .collect();
    assert_eq!(f.state_hash(&saves), expected, "saving changed the run");
    for n in points {
        let restored = f.state_hash(&["--restore".into(), format!("{n}.snap")]);
        assert_eq!(restored, expected, "saved at {n}");
    }
}
