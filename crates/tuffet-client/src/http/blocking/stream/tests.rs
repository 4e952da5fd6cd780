use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use super::super::super::options::{HttpOptions, MinimumRate};
use super::*;

/// Brings one piece per entry, each after its wait by the test's clock; then the end, or an error.
struct Scripted {
    pieces: Vec<(u64, usize)>,
    error: Option<io::ErrorKind>,
    waits: Sender<u64>,
}

impl Read for Scripted {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        if let Some((wait, bytes)) = self.pieces.pop() {
            self.waits.send(wait).unwrap();
            return Ok(bytes);
        }
        self.error.map_or(Ok(0), |kind| Err(kind.into()))
    }
}

fn watched(
    options: &HttpOptions,
    mut pieces: Vec<(u64, usize)>,
    error: Option<io::ErrorKind>,
) -> Watched<Scripted> {
    pieces.reverse();
    let (waits, passed) = channel();
    let seconds = Mutex::new((0, passed));
    let clock = move || {
        let mut state = seconds.lock().unwrap();
        let passed: u64 = state.1.try_iter().sum();
        state.0 += passed;
        Duration::from_secs(state.0)
    };
    let blank = TransportErrorKind::Interrupted;
    let error_at = TransportError {
        url: "u".to_owned(),
        kind: blank,
        detail: String::new(),
        retry_after: None,
    };
    Watched::new(
        Scripted {
            pieces,
            error,
            waits,
        },
        Watch::new(options, options.deadline, error_at),
        Box::new(clock),
    )
}

fn ending(mut stream: Watched<Scripted>) -> (usize, Option<TransportErrorKind>) {
    let (mut total, mut buffer) = (0, [0; 64]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (total, None),
            Ok(read) => total += read,
            Err(error) => {
                let kind = |error: &io::Error| {
                    error
                        .get_ref()
                        .unwrap()
                        .downcast_ref::<TransportError>()
                        .unwrap()
                        .kind
                };
                let again = stream.read(&mut buffer).unwrap_err();
                assert_eq!(kind(&again), kind(&error), "a failed stream stays failed");
                assert_ne!(
                    error.kind(),
                    io::ErrorKind::Interrupted,
                    "readers would try again"
                );
                return (total, Some(kind(&error)));
            }
        }
    }
}

#[test]
fn a_stream_ends_well_or_says_why_not() {
    let seconds = Duration::from_secs;
    let rate = MinimumRate {
        bytes_per_second: 10,
        window: seconds(4),
        grace: seconds(2),
    };
    let options = HttpOptions::new()
        .minimum_rate(Some(rate))
        .deadline(Some(seconds(60)));
    use TransportErrorKind as Kind;
    for (pieces, error, end) in [
        (vec![(1, 20), (1, 20)], None, (40, None)),
        (vec![(0, 1), (0, 1)], None, (2, None)),
        (vec![(1, 1); 20], None, (5, Some(Kind::TooSlow))),
        (vec![(1, 10); 20], None, (200, None)),
        (
            vec![(30, 600), (29, 600), (1, 600)],
            None,
            (1200, Some(Kind::Deadline)),
        ),
        (
            vec![(1, 20)],
            Some(io::ErrorKind::ConnectionReset),
            (20, Some(Kind::Interrupted)),
        ),
        (
            vec![(1, 20)],
            Some(io::ErrorKind::UnexpectedEof),
            (20, Some(Kind::Interrupted)),
        ),
        (
            vec![(1, 20)],
            Some(io::ErrorKind::TimedOut),
            (20, Some(Kind::Idle)),
        ),
        (
            vec![(1, 20)],
            Some(io::ErrorKind::InvalidData),
            (20, Some(Kind::Protocol)),
        ),
    ] {
        assert_eq!(
            ending(watched(&options, pieces.clone(), error)),
            end,
            "{pieces:?} {error:?}"
        );
    }
}
