//! How many of our packets the other side reports as lost (RTCP, RFC 3550, section 6.4): what is lost
//! is worth more redundancy.
//!
//! The statistics of the `rtc` crate know it as well, but for one who is only listened to: a browser
//! that speaks puts its report into its own sender reports, which they do not read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use rtc::interceptor::{Interceptor, Packet, Slot, StreamInfo, TaggedPacket};
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::{receiver_report::ReceiverReport, sender_report::SenderReport};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use webrtc::peer_connection::Registry;

/// Percent of our packets that get lost, as far as one is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Loss(Arc<AtomicU8>);

impl Loss {
    pub(super) fn percent(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    /// Loss comes in bursts: what is reported counts at once, and what is not reported any more for a
    /// while yet.
    fn reported(&self, fraction: u8) {
        let percent = (u16::from(fraction) * 100).div_ceil(256) as u8;
        self.0.store(percent.max(self.percent().midpoint(percent)), Ordering::Relaxed);
    }
}

/// Looks at reports before anybody takes them away, and tells what they say.
pub(super) fn listen(registry: Registry, loss: &Loss) -> Registry {
    // Next to the wire: whoever is behind it may keep a report to itself.
    registry.with(Slot::from(500), Listener { loss: loss.clone(), ..Listener::default() })
}

#[derive(Default)]
struct Listener {
    loss: Loss,
    /// The stream that we send.
    ours: Option<u32>,
    read: VecDeque<TaggedPacket>,
    written: VecDeque<TaggedPacket>,
}

impl Listener {
    fn look(&self, packet: &Packet) {
        let Packet::Rtcp(packets) = packet else { return };
        for packet in packets {
            let packet = packet.as_any();
            let of_receiver = packet.downcast_ref::<ReceiverReport>().map(|report| &report.reports);
            let of_sender = packet.downcast_ref::<SenderReport>().map(|report| &report.reports);
            let reports = of_receiver.or(of_sender).into_iter().flatten();
            for ReceptionReport { fraction_lost, .. } in reports.filter(|r| Some(r.ssrc) == self.ours) {
                self.loss.reported(*fraction_lost);
            }
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Listener {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.look(&packet.message.packet);
        self.read.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.written.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.written.pop_front()
    }
}

impl Interceptor for Listener {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.ours = Some(info.ssrc);
    }

    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rtc::interceptor::AttributedPacket;
    use rtc::rtcp;
    use rtc::shared::TransportContext;

    use super::*;

    fn told(listener: &mut Listener, report: impl rtcp::Packet + 'static) -> u8 {
        let message = AttributedPacket::new(Packet::Rtcp(vec![Box::new(report)]));
        let (now, transport) = (Instant::now(), TransportContext::default());
        listener.handle_read(TaggedPacket { now, transport, message }).unwrap();
        assert!(listener.poll_read().is_some(), "it goes on to the others");
        listener.loss.percent()
    }

    fn about(ssrc: u32, fraction_lost: u8) -> Vec<ReceptionReport> {
        vec![ReceptionReport { ssrc, fraction_lost, ..ReceptionReport::default() }]
    }

    #[test]
    fn a_browser_reports_loss_whether_it_speaks_or_not() {
        let mut listener = Listener::default();
        listener.bind_local_stream(&StreamInfo { ssrc: 7, ..StreamInfo::default() });
        let silent = |reports| ReceiverReport { reports, ..ReceiverReport::default() };
        let speaks = |reports| SenderReport { reports, ..SenderReport::default() };
        assert_eq!(told(&mut listener, silent(about(8, 200))), 0, "of another stream");
        assert_eq!(told(&mut listener, silent(about(7, 26))), 11);
        assert_eq!(told(&mut listener, speaks(about(7, 64))), 25);
        assert_eq!(told(&mut listener, speaks(vec![])), 25, "nothing is reported");
        let calm: Vec<u8> = (0..6).map(|_| told(&mut listener, speaks(about(7, 0)))).collect();
        assert_eq!(calm, [12, 6, 3, 1, 0, 0]);
        assert_eq!(told(&mut listener, silent(about(7, 255))), 100);
    }
}
