//! Messages on the wire: a header with the length, then JSON.
//!
//! Invariants: a message is read into a buffer of its own size, which is gone as
//! soon as the message is understood; of what is no message as much is skipped as
//! it takes to find the next one. Absent on purpose: what messages mean.

use std::io::{self, BufRead, Read, Write};

/// Bytes that are asked of the system at once.
const CHUNK: usize = 1 << 16;

/// A longer header line is nobody's.
const LONG_LINE: u64 = 4096;

/// The most that is reserved on the word of a header alone.
const RESERVED: usize = 1 << 28;

/// Where messages come from.
#[derive(Debug)]
pub struct Reader<I> {
    input: io::BufReader<I>,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// The JSON of one message.
    Message(Vec<u8>),
    /// A header without a length: nothing that can be read.
    Unreadable,
}

impl<I: Read> Reader<I> {
    /// A reader of messages.
    pub fn new(input: I) -> Self {
        Self { input: io::BufReader::with_capacity(CHUNK, input) }
    }

    /// The next message; `None` at the end of input, also in the middle of one.
    ///
    /// # Errors
    /// When the system cannot read.
    pub fn receive(&mut self) -> io::Result<Option<Frame>> {
        let mut length = None;
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.input.by_ref().take(LONG_LINE).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            let header = line.trim_ascii();
            if header.is_empty() {
                break;
            }
            length = content_length(header).or(length);
        }
        let Some(length) = length else { return Ok(Some(Frame::Unreadable)) };
        let mut body = Vec::new();
        body.reserve_exact(length.min(RESERVED));
        let came = self.input.by_ref().take(length as u64).read_to_end(&mut body)?;
        Ok((came == length).then_some(Frame::Message(body)))
    }
}

fn content_length(header: &[u8]) -> Option<usize> {
    let colon = header.iter().position(|&b| b == b':')?;
    let (name, value) = (&header[..colon], &header[colon + 1..]);
    let is_it = name.trim_ascii().eq_ignore_ascii_case(b"Content-Length");
    std::str::from_utf8(value.trim_ascii()).ok().filter(|_| is_it)?.parse().ok()
}

/// Writes one message.
///
/// # Errors
/// When the other side does not read any more.
pub fn write(output: &mut impl Write, buffer: &mut Vec<u8>, body: &[u8]) -> io::Result<()> {
    // One write: a reader that is woken finds all of it.
    buffer.clear();
    write!(buffer, "Content-Length: {}\r\n\r\n", body.len())?;
    buffer.extend_from_slice(body);
    output.write_all(buffer)?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &str) -> Vec<Frame> {
        let mut reader = Reader::new(input.as_bytes());
        std::iter::from_fn(|| reader.receive().unwrap()).collect()
    }

    fn message(body: &str) -> Frame {
        Frame::Message(body.into())
    }

    #[test]
    fn messages_are_cut_by_their_length() {
        let two =
            "Content-Length: 2\r\n\r\n{}Content-Type: x; charset=utf-8\r\ncontent-length:4\n\nnull";
        assert_eq!(read(two), [message("{}"), message("null")]);
    }

    #[test]
    fn nonsense_is_skipped_to_the_next_message() {
        assert_eq!(
            read("GET / HTTP/1.1\r\nHost: x\r\n\r\nContent-Length: 1\r\n\r\n1"),
            [Frame::Unreadable, message("1")]
        );
        assert_eq!(
            read("Content-Length: -3\r\n\r\n\r\nContent-Length: 0\r\n\r\n"),
            [Frame::Unreadable, Frame::Unreadable, message("")]
        );
    }

    #[test]
    fn the_end_of_input_ends_it_wherever_it_is() {
        for input in
            ["", "Content-", "Content-Length: 9\r\n\r\n{}", "Content-Length: 99999999999\r\n\r\n{}"]
        {
            assert_eq!(read(input), [], "{input}");
        }
    }

    #[test]
    fn what_is_written_can_be_read() {
        let (mut output, mut buffer) = (Vec::new(), Vec::new());
        write(&mut output, &mut buffer, b"{\"a\": 1}").unwrap();
        write(&mut output, &mut buffer, "\"😀\"".as_bytes()).unwrap();
        let mut reader = Reader::new(&*output);
        assert_eq!(reader.receive().unwrap(), Some(message("{\"a\": 1}")));
        assert_eq!(reader.receive().unwrap(), Some(message("\"😀\"")));
        assert_eq!(reader.receive().unwrap(), None);
    }
}
