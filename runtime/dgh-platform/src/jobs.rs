//! Work that is done after something happened, by any node, until it is done: claimed with a lease that
//! is renewed while it goes on, tried again when it fails, given up at last.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dgh_store::jobs::{self, Job};
use dgh_store::{Conn, Db, StoreError};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::webhooks::{Jitter, Schedule};

/// The channel on which workers are told that a job is due.
pub const CHANNEL: &str = "jobs";

/// How long a claim lasts that is not renewed.
const LEASE: Duration = Duration::from_mins(1);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(20);
/// How often it is looked whether something is due that nobody was told of.
const POLL: Duration = Duration::from_secs(5);
/// How long work that goes on may take when the worker stops; what is not done is claimed again.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long jobs are kept that are done or given up.
const KEPT: Duration = Duration::from_hours(24 * 7);
/// Old jobs that go at a time.
const AT_A_TIME: i64 = 500;

/// Why a job was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Another attempt may do better.
    #[error("{0}")]
    Again(String),
    /// No attempt will.
    #[error("{0}")]
    Never(String),
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        Self::Again(error.to_string())
    }
}

/// What a job made: written in the transaction in which it is done.
#[async_trait]
pub trait Made: Send {
    /// Writes it.
    async fn write(self: Box<Self>, conn: &mut Conn, now: i64) -> Result<(), StoreError>;
}

/// A kind of work.
#[async_trait]
pub trait Work: Send + Sync + 'static {
    /// What its jobs are called.
    fn kind(&self) -> &'static str;

    /// Does one. It may be done twice, when a node dies: only what it hands back counts.
    async fn run(&self, job: &Job) -> Result<Box<dyn Made>, JobError>;

    /// When what it made is committed.
    async fn committed(&self) {}
}

/// What a worker works with.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The time, in milliseconds since 1970.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// The node's id.
    pub node: String,
    /// Where jitter comes from.
    pub jitter: Jitter,
    /// When a job is tried again.
    pub schedule: Schedule,
    /// Jobs at a time.
    pub at_once: usize,
}

/// A worker that runs.
pub struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Starts a worker for one kind of work.
pub fn start(parts: Parts, work: Arc<dyn Work>) -> Worker {
    let (stop, stopped) = watch::channel(false);
    Worker { stop, task: tokio::spawn(run(parts, work, stopped)) }
}

/// Tells the workers of all nodes that a job is due. A hint: they look for themselves, too.
pub async fn wake(db: &Db) {
    if let Err(error) = db.notify(CHANNEL, "").await {
        tracing::debug!(%error, "the workers were not told of a job");
    }
}

impl Worker {
    /// Claims nothing more, and lets what goes on end.
    pub async fn drain(self) {
        let _ = self.stop.send(true);
        if timeout(PATIENCE, self.task).await.is_err() {
            tracing::warn!("jobs were still going on; they are done again later");
        }
    }
}

async fn run(parts: Parts, work: Arc<dyn Work>, mut stop: watch::Receiver<bool>) {
    let mut listener = parts.db.listen(CHANNEL);
    let mut going: JoinSet<()> = JoinSet::new();
    while !*stop.borrow() {
        let free = parts.at_once.saturating_sub(going.len());
        let claimed = if free > 0 { claim(&parts, work.kind(), free).await } else { Ok(Vec::new()) };
        let claimed = claimed.unwrap_or_else(|error| {
            tracing::warn!(%error, kind = work.kind(), "no jobs can be claimed");
            Vec::new()
        });
        for job in claimed {
            let (parts, work) = (parts.clone(), Arc::clone(&work));
            going.spawn(async move { do_one(&parts, work.as_ref(), job).await });
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            _ = listener.recv() => {}
            Some(_) = going.join_next() => {}
            () = sleep(POLL) => {}
        }
    }
    while going.join_next().await.is_some() {}
}

async fn claim(parts: &Parts, kind: &str, most: usize) -> Result<Vec<Job>, StoreError> {
    let now = (parts.clock)();
    let mut conn = parts.db.read().acquire().await?;
    let due = jobs::any_due_unscoped(&mut conn, kind, now).await?;
    drop(conn);
    if !due {
        return Ok(Vec::new());
    }
    let mut tx = parts.db.begin().await?;
    let before = now - millis(KEPT);
    jobs::delete_done_unscoped(&mut tx, before, AT_A_TIME).await?;
    let most = i64::try_from(most).unwrap_or(1);
    let claimed = jobs::claim_unscoped(&mut tx, kind, &parts.node, most, now + millis(LEASE), now).await?;
    tx.commit().await?;
    Ok(claimed)
}

/// Does one, with its lease renewed.
async fn do_one(parts: &Parts, work: &dyn Work, job: Job) {
    let result = tokio::select! {
        result = work.run(&job) => result,
        () = keep(parts, &job) => {
            tracing::warn!(job = job.id.as_str(), kind = job.kind, "a job was taken by another node");
            return;
        }
    };
    let written = match result {
        Ok(made) => finish(parts, &job, made).await,
        Err(error) => fail(parts, &job, &error).await,
    };
    match written {
        Ok(true) => work.committed().await,
        Ok(false) => {}
        // Its lease ends, and it is done again.
        Err(error) => tracing::warn!(job = job.id.as_str(), %error, "a job could not be written down"),
    }
}

/// Renews the lease as long as it is ours.
async fn keep(parts: &Parts, job: &Job) {
    loop {
        sleep(RENEW).await;
        let renewed = async {
            let mut tx = parts.db.begin().await?;
            let ours = jobs::renew_unscoped(&mut tx, job, (parts.clock)() + millis(LEASE)).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(ours)
        };
        match renewed.await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::debug!(%error, "the lease of a job was not renewed"),
        }
    }
}

/// What it made and that it is done, or neither.
async fn finish(parts: &Parts, job: &Job, made: Box<dyn Made>) -> Result<bool, StoreError> {
    let now = (parts.clock)();
    let mut tx = parts.db.begin().await?;
    if !jobs::done_unscoped(&mut tx, job, now).await? {
        return Ok(false);
    }
    made.write(&mut tx, now).await?;
    tx.commit().await?;
    metrics::counter!("dgh_jobs_total", "kind" => job.kind.clone(), "result" => "done").increment(1);
    Ok(true)
}

async fn fail(parts: &Parts, job: &Job, error: &JobError) -> Result<bool, StoreError> {
    let now = (parts.clock)();
    let waited = Duration::from_millis((now - job.queued_at).max(0).unsigned_abs());
    let failed = u32::try_from(job.attempts + 1).unwrap_or(u32::MAX);
    let pause = match error {
        JobError::Again(_) => parts.schedule.pause(failed, None, waited, &parts.jitter),
        JobError::Never(_) => None,
    };
    let text: String = error.to_string().chars().take(2_000).collect();
    let mut tx = parts.db.begin().await?;
    let result = if let Some(pause) = pause {
        jobs::retry_unscoped(&mut tx, job, &text, now + millis(pause)).await?;
        "failed"
    } else {
        jobs::dead_unscoped(&mut tx, job, &text, now).await?;
        "dead"
    };
    tx.commit().await?;
    metrics::counter!("dgh_jobs_total", "kind" => job.kind.clone(), "result" => result).increment(1);
    tracing::warn!(
        job = job.id.as_str(),
        kind = job.kind,
        subject = job.subject,
        result,
        error = text,
        "a job failed"
    );
    Ok(false)
}

fn millis(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    use dgh_store::OrgId;
    use dgh_store::jobs::NewJob;
    use dgh_store::testing::on_both;

    use super::*;

    /// Fails a number of times, then is done.
    struct Counting {
        fails: usize,
        never: bool,
        runs: AtomicUsize,
        made: Arc<AtomicUsize>,
    }

    struct Count(Arc<AtomicUsize>);

    #[async_trait]
    impl Made for Count {
        async fn write(self: Box<Self>, _: &mut Conn, _: i64) -> Result<(), StoreError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
    }

    #[async_trait]
    impl Work for Counting {
        fn kind(&self) -> &'static str {
            "count"
        }

        async fn run(&self, _: &Job) -> Result<Box<dyn Made>, JobError> {
            if self.runs.fetch_add(1, Ordering::Relaxed) < self.fails {
                let told = "not yet".to_owned();
                return Err(if self.never { JobError::Never(told) } else { JobError::Again(told) });
            }
            Ok(Box::new(Count(Arc::clone(&self.made))))
        }
    }

    fn work(fails: usize, never: bool) -> Arc<Counting> {
        Arc::new(Counting { fails, never, runs: AtomicUsize::new(0), made: Arc::default() })
    }

    fn parts(db: &Db, ahead: &Arc<AtomicI64>) -> Parts {
        let ahead = Arc::clone(ahead);
        Parts {
            db: db.clone(),
            clock: Arc::new(move || chrono::Utc::now().timestamp_millis() + ahead.load(Ordering::Relaxed)),
            node: "n1".to_owned(),
            jitter: Arc::new(|| 1.0),
            schedule: Schedule::default(),
            at_once: 4,
        }
    }

    async fn want(db: &Db, org: &OrgId, key: &str, now: i64) -> bool {
        let new = NewJob { kind: "count", subject: "c1", unique_key: key, payload: "{}", due_at: now };
        let mut tx = db.begin().await.unwrap();
        let id = jobs::add(&mut tx, org, &new, now).await.unwrap();
        tx.commit().await.unwrap();
        wake(db).await;
        id.is_some()
    }

    async fn until(db: &Db, org: &OrgId, state: &str, attempts: i64) -> Job {
        for _ in 0..500 {
            let mut conn = db.read().acquire().await.unwrap();
            let all = jobs::about(&mut conn, org, "c1").await.unwrap();
            if let Some(job) = all.into_iter().find(|job| job.state == state && job.attempts == attempts) {
                return job;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("no job is {state} after {attempts} attempts")
    }

    #[tokio::test]
    async fn a_job_is_done_once_however_often_it_is_wanted() {
        on_both(async |db| {
            let (org, ahead, work) = (OrgId::fresh(), Arc::default(), work(0, false));
            let parts = parts(&db, &ahead);
            let now = (parts.clock)();
            assert!(want(&db, &org, "a", now).await);
            assert!(!want(&db, &org, "a", now).await);
            let workers: Vec<Worker> =
                (0..3).map(|_| start(parts.clone(), Arc::clone(&work) as Arc<dyn Work>)).collect();
            until(&db, &org, "done", 1).await;
            for worker in workers {
                worker.drain().await;
            }
            assert_eq!((work.runs.load(Ordering::Relaxed), work.made.load(Ordering::Relaxed)), (1, 1));
        })
        .await;
    }

    #[tokio::test]
    async fn what_fails_is_tried_again_and_what_cannot_work_is_given_up() {
        on_both(async |db| {
            let (org, ahead, failing) = (OrgId::fresh(), Arc::default(), work(1, false));
            let parts = parts(&db, &ahead);
            want(&db, &org, "a", (parts.clock)()).await;
            let worker = start(parts.clone(), Arc::clone(&failing) as Arc<dyn Work>);
            let failed = until(&db, &org, "pending", 1).await;
            assert_eq!(failed.error.as_deref(), Some("not yet"));
            ahead.fetch_add(6_000, Ordering::Relaxed);
            wake(&db).await;
            until(&db, &org, "done", 2).await;
            worker.drain().await;
            assert_eq!(failing.made.load(Ordering::Relaxed), 1);

            let other = OrgId::fresh();
            want(&db, &other, "b", (parts.clock)()).await;
            let never = work(1, true);
            let worker = start(parts, Arc::clone(&never) as Arc<dyn Work>);
            until(&db, &other, "dead", 1).await;
            worker.drain().await;
            assert_eq!(never.made.load(Ordering::Relaxed), 0);
        })
        .await;
    }

    #[tokio::test]
    async fn a_job_of_a_dead_node_is_claimed_when_its_lease_is_over() {
        on_both(async |db| {
            let (org, ahead, work) = (OrgId::fresh(), Arc::default(), work(0, false));
            let parts = parts(&db, &ahead);
            let now = (parts.clock)();
            want(&db, &org, "a", now).await;
            let mut tx = db.begin().await.unwrap();
            let lost = jobs::claim_unscoped(&mut tx, "count", "dead", 1, now + 60_000, now).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(lost.len(), 1);
            ahead.fetch_add(61_000, Ordering::Relaxed);
            let worker = start(parts, Arc::clone(&work) as Arc<dyn Work>);
            until(&db, &org, "done", 1).await;
            worker.drain().await;
            // The dead one comes back, and writes nothing.
            let mut tx = db.begin().await.unwrap();
            assert!(!jobs::done_unscoped(&mut tx, &lost[0], now).await.unwrap());
            assert!(!jobs::dead_unscoped(&mut tx, &lost[0], "x", now).await.unwrap());
            assert!(!jobs::renew_unscoped(&mut tx, &lost[0], now).await.unwrap());
        })
        .await;
    }
}
