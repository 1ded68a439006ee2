//! Compressed transcript files: gzip and Zstandard, told by their first bytes
//! whatever their names, and read as a stream.
//!
//! Invariant: memory does not depend on what a file unpacks to: lines over the limit
//! are passed over as everywhere, a `.json` file stops at the limit, and a Zstandard
//! window over 100 MB is refused. What is cut off or damaged is an error, not an end.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

/// The largest window of a Zstandard frame, in bytes.
const WINDOW: u64 = 100 << 20;

/// How the first bytes of a file show what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, or whatever else.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
    /// A table of Parquet.
    Parquet,
    /// A table of Arrow or Feather.
    Arrow,
}

impl Kind {
    /// The kind of a file that begins like this.
    #[must_use]
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [b'F', b'E', b'A', b'1', ..] => Self::Arrow,
            _ => Self::Plain,
        }
    }

    /// The kind of a file; of one that cannot be read, plain.
    #[must_use]
    pub fn of_file(path: &Path) -> Self {
        let mut head = Vec::new();
        let read = File::open(path).and_then(|file| file.take(8).read_to_end(&mut head));
        if read.is_ok() { Self::of(&head) } else { Self::Plain }
    }

    /// True when it has to be unpacked to be read.
    #[must_use]
    pub const fn is_packed(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd)
    }
}

/// The name of a file without the ending that says how it is packed.
#[must_use]
pub fn unpacked_name(name: &str) -> &str {
    let ending = |name: &str| name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending(name).as_deref() {
        Some("gz" | "zst") => name.rsplit_once('.').map_or(name, |(stem, _)| stem),
        _ => name,
    }
}

type Stream = Box<dyn Read + Send>;

/// A file, unpacked while it is read.
pub struct Unpacked {
    path: PathBuf,
    stream: Stream,
    is_packed: bool,
    /// Bytes read.
    at: u64,
}

impl std::fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacked").field("path", &self.path).field("at", &self.at).finish()
    }
}

impl Unpacked {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened, or is damaged from the start.
    pub fn open(path: &Path) -> io::Result<Self> {
        let kind = Kind::of_file(path);
        let stream = stream(File::open(path)?, kind)?;
        Ok(Self { path: path.to_owned(), stream, is_packed: kind.is_packed(), at: 0 })
    }
}

fn stream(file: File, kind: Kind) -> io::Result<Stream> {
    let file = BufReader::with_capacity(128 << 10, file);
    Ok(match kind {
        Kind::Gzip => Box::new(MultiGzDecoder::new(file)),
        Kind::Zstd => Box::new(Frames { decoder: Some(frame(file)?) }),
        _ => Box::new(file),
    })
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ if !self.is_packed => error,
            kind => {
                io::Error::new(kind, format!("the compressed data is cut off or damaged ({error})"))
            }
        })?;
        self.at += read as u64;
        Ok(read)
    }
}

/// From the start only, as a place in a file is given; going back begins anew.
impl Seek for Unpacked {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(to) = to else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a compressed file has no end to count from",
            ));
        };
        if to < self.at {
            *self = Self::open(&self.path)?;
        }
        let skipped = to - self.at;
        io::copy(&mut self.by_ref().take(skipped), &mut io::sink())?;
        Ok(self.at)
    }
}

type Frame = StreamingDecoder<BufReader<File>, ruzstd::decoding::FrameDecoder>;

fn frame(file: BufReader<File>) -> io::Result<Frame> {
    StreamingDecoder::new_with_max_window_size(file, WINDOW).map_err(io::Error::other)
}

/// Zstandard frames, one behind the other.
struct Frames {
    /// `None` behind the last one, or after an error.
    decoder: Option<Frame>,
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let mut rest = self.decoder.take().map(StreamingDecoder::into_inner);
            if let Some(file) =
                rest.take_if(|file| file.fill_buf().is_ok_and(|rest| !rest.is_empty()))
            {
                self.decoder = Some(frame(file)?);
            }
        }
        Ok(0)
    }
}
