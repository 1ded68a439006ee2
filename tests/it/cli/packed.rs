//! Compressed transcript files: read like others by every command, never written to.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{Project, record};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Some good records, a broken one, one with a fixable fault; over several blocks.
fn lines() -> String {
    let mut lines: Vec<String> = (0..4000).map(|n| record(&format!("packed-{n}"))).collect();
    lines[7] = r#"{"id":"x","messages":[{"role":"human","content":"Hi"},{"role":"assistant","content":"é 😀 "}]}"#.into();
    lines[3000] = "{broken".into();
    lines.join("\n") + "\n"
}

#[test]
fn what_is_said_of_a_file_does_not_depend_on_how_it_is_packed() {
    let text = lines();
    let project = Project::with("");
    let half = text[..text.len() / 2].rfind('\n').unwrap() + 1;
    let parts = [&text.as_bytes()[..half], &text.as_bytes()[half..]];
    project.write("a.jsonl", &text);
    project.write("a.jsonl.gz", gz(text.as_bytes()));
    // Members and frames may stand behind one another; names do not matter.
    project.write("b.bin", parts.map(gz).concat());
    project.write("a.jsonl.zst", parts.map(zst).concat());
    for command in [&["check", "--format", "json"][..], &["tokens", "--format", "json"], &["audit"]]
    {
        let said = |name: &str| {
            let ran = project.run(&[command, &[name]].concat());
            (ran.code, ran.out.replace(name, "FILE"))
        };
        let plain = said("a.jsonl");
        for name in ["a.jsonl.gz", "b.bin", "a.jsonl.zst"] {
            let packed = said(name);
            assert!(packed == plain, "{command:?} {name}: {:?}", packed.0);
        }
    }
    let document = format!("[{}]", record("alone"));
    project.write("one.json.gz", gz(document.as_bytes()));
    assert_eq!(project.run(&["check", "one.json.gz"]).code, Some(0));
}

#[test]
fn a_compressed_file_is_never_written_to() {
    let project = Project::with("");
    let bytes = gz(lines().as_bytes());
    project.write("a.jsonl.gz", &bytes);
    let ran = project.run(&["check", "--fix", "a.jsonl.gz"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("unpack it first"), "{}", ran.err);
    assert!(std::fs::read(project.path("a.jsonl.gz")).unwrap() == bytes);
}

#[test]
fn damage_is_an_error_and_a_bomb_a_line_passed_over() {
    let project = Project::with("[limits]\nrecord_mb = 1\n");
    let whole = gz(lines().as_bytes());
    project.write("cut.jsonl.gz", &whole[..whole.len() / 2]);
    project.write("cut.jsonl.zst", &zst(lines().as_bytes())[..5000]);
    for name in ["cut.jsonl.gz", "cut.jsonl.zst"] {
        let ran = project.run(&["tokens", name]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains("cut off or damaged"), "{}", ran.err);
    }
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..64 {
        bomb.write_all(&[b' '; 1 << 20]).unwrap();
    }
    bomb.write_all(format!("x\n{}\n", record("after")).as_bytes()).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000, "it is one: {}", bomb.len());
    project.write("bomb.jsonl.gz", &bomb);
    let ran = project.run(&["check", "bomb.jsonl.gz"]);
    assert!(ran.out.contains("more than 1 MB"), "{}{}", ran.out, ran.err);
    let ran = project.run(&["tokens", "bomb.jsonl.gz"]);
    assert!(ran.out.contains("after"), "the line behind it is read: {}", ran.out);
    project.write("bomb.json.gz", &bomb);
    assert!(project.run(&["check", "bomb.json.gz"]).err.contains("larger than 1 MB"));
}

#[test]
fn tables_name_the_line_that_converts_them() {
    let project = Project::with("");
    project.write("a.parquet", b"PAR1\x15\x04");
    project.write("a.arrow", b"ARROW1\0\0");
    for (name, read) in [("a.parquet", "pandas.read_parquet"), ("a.arrow", "pandas.read_feather")] {
        let ran = project.run(&["check", name]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains(read), "{}", ran.err);
    }
}
