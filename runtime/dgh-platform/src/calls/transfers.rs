//! Transfers that a profile mocks: `[[profiles.NAME.mocks.transfer]]` answers instead of the line,
//! so that an agent can be tried out without calling anybody.

use std::task::{Context, Poll};

use dgh_voice::audio::Frame;
use dgh_voice::line::{Line, LineAbout, LineCommand, LineEvent};

use crate::Tools;

/// A line whose transfers are mocked, if the profile says so.
pub(super) struct MockedTransfers<L> {
    line: L,
    tools: Tools,
    answer: Option<LineEvent>,
}

impl<L> MockedTransfers<L> {
    pub(super) fn new(line: L, tools: Tools) -> Self {
        Self { line, tools, answer: None }
    }
}

impl<L: Line> Line for MockedTransfers<L> {
    fn about(&self) -> &LineAbout {
        self.line.about()
    }

    fn poll_event(&mut self, cx: &mut Context<'_>, frame: &mut Frame) -> Poll<LineEvent> {
        match self.answer.take() {
            Some(event) => Poll::Ready(event),
            None => self.line.poll_event(cx, frame),
        }
    }

    fn send(&mut self, command: LineCommand<'_>) {
        if let LineCommand::Transfer(transfer) = command
            && let Some(answer) = self.tools.transfer(&transfer.number)
        {
            self.answer = Some(LineEvent::Transferred(answer));
            return;
        }
        self.line.send(command);
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.line.poll_flush(cx)
    }
}
