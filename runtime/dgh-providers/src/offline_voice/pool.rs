//! The processes that recognise, for all calls: no more than there are cores, started when they are
//! needed and kept.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::offline_voice::grammar::Grammar;
use crate::offline_voice::worker::{Heard, Trouble, Worker};
use crate::stt::Expected;

/// Longest time of one answer: half a minute of speech without a grammar, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Grammars that are remembered.
const REMEMBERED: usize = 64;

/// The processes.
pub(super) struct Pool {
    python: PathBuf,
    patience: Duration,
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Worker>>,
    grammars: Mutex<VecDeque<(Arc<Expected>, Arc<Grammar>)>>,
}

impl Pool {
    pub(super) fn new(python: PathBuf) -> Arc<Self> {
        Self::with_patience(python, PATIENCE)
    }

    pub(super) fn with_patience(python: PathBuf, patience: Duration) -> Arc<Self> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Arc::new(Self {
            python,
            patience,
            free: Arc::new(Semaphore::new(cores.clamp(1, 16))),
            idle: Mutex::default(),
            grammars: Mutex::default(),
        })
    }

    /// Sees to it that there is a process; what is expected, if it is said, is learned.
    pub(super) async fn prepare(self: &Arc<Self>, expected: Option<Arc<Expected>>) -> Result<(), Trouble> {
        self.work(
            move |mut worker, grammar| async move {
                let done = match &grammar {
                    Some(grammar) => learn(&mut worker, grammar).await,
                    None => Ok(()),
                };
                (worker, done)
            },
            expected,
        )
        .await
    }

    /// What was said, in sound of 16,000 Hz. Empty: nothing that was expected.
    pub(super) async fn recognise(
        self: &Arc<Self>,
        expected: Arc<Expected>,
        sound: Bytes,
    ) -> Result<Heard, Trouble> {
        let work = move |mut worker: Worker, grammar: Option<Arc<Grammar>>| {
            let sound = sound.clone();
            async move {
                let heard = match &grammar {
                    Some(grammar) => hear(&mut worker, grammar, &sound).await,
                    None => Ok(Heard::default()),
                };
                (worker, heard)
            }
        };
        self.work(work, Some(expected)).await
    }

    /// Works with a process. A broken one is replaced once. What was begun is finished even if nobody
    /// waits for it any more, so that the process can be used again.
    async fn work<T, F, W>(self: &Arc<Self>, work: F, expected: Option<Arc<Expected>>) -> Result<T, Trouble>
    where
        T: Send + 'static,
        F: Fn(Worker, Option<Arc<Grammar>>) -> W + Send + Sync + 'static,
        W: Future<Output = (Worker, Result<T, Trouble>)> + Send + 'static,
    {
        let pool = Arc::clone(self);
        let task = tokio::spawn(async move {
            let Ok(_free) = Arc::clone(&pool.free).acquire_owned().await else {
                return Err(Trouble::Broken("the pool is closed".into()));
            };
            let grammar = match expected {
                Some(expected) => Some(pool.grammar(expected).await?),
                None => None,
            };
            let mut trouble = Trouble::Hung;
            for again in [false, true] {
                // Where one broke, others may have.
                let idle = if again { None } else { pool.take(grammar.as_deref()) };
                let worker = match idle {
                    Some(worker) => worker,
                    None => Worker::start(&pool.python, pool.patience).await?,
                };
                match work(worker, grammar.clone()).await {
                    (worker, Ok(done)) => {
                        pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
                        return Ok(done);
                    }
                    (_, Err(found @ Trouble::Broken(_))) => trouble = found,
                    (_, Err(found)) => return Err(found),
                }
            }
            Err(trouble)
        });
        // The task is ended by nobody, and does not panic.
        task.await.unwrap_or_else(|_| Err(Trouble::Broken("it was given up".into())))
    }

    /// A process that has nothing to do, best one that knows the grammar.
    fn take(&self, grammar: Option<&Grammar>) -> Option<Worker> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(Worker::lives);
        let best = grammar.and_then(|grammar| idle.iter().position(|worker| worker.knows(grammar)));
        best.map(|at| idle.swap_remove(at)).or_else(|| idle.pop())
    }

    async fn grammar(&self, expected: Arc<Expected>) -> Result<Arc<Grammar>, Trouble> {
        let find = |list: &VecDeque<(Arc<Expected>, Arc<Grammar>)>| {
            list.iter().find(|(known, _)| *known == expected).map(|(_, grammar)| Arc::clone(grammar))
        };
        if let Some(known) = find(&self.grammars.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(known);
        }
        let what = Arc::clone(&expected);
        let made = tokio::task::spawn_blocking(move || Arc::new(Grammar::new(&what))).await;
        let made = made.map_err(|_| Trouble::Broken("what is expected cannot be put into words".into()))?;
        let mut grammars = self.grammars.lock().unwrap_or_else(PoisonError::into_inner);
        if grammars.len() == REMEMBERED {
            grammars.pop_front();
        }
        grammars.push_back((expected, Arc::clone(&made)));
        Ok(made)
    }

    #[cfg(test)]
    pub(super) fn processes(&self) -> Vec<u32> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.iter().filter_map(Worker::process).collect()
    }
}

async fn learn(worker: &mut Worker, grammar: &Grammar) -> Result<(), Trouble> {
    let dropped = worker.learn(grammar).await?;
    if !dropped.is_empty() {
        let words = dropped.join(", ");
        tracing::info!("the offline recogniser does not know the words: {words}");
    }
    Ok(())
}

async fn hear(worker: &mut Worker, grammar: &Grammar, sound: &[u8]) -> Result<Heard, Trouble> {
    learn(worker, grammar).await?;
    let Heard { text, sure } = worker.recognise(Some(grammar), sound).await?;
    if let Some(words) = grammar.sort(&text) {
        let all = text.split_whitespace().count().max(1);
        // A long sentence is not less sure than a short one.
        let sure = sure.powf(1.0 / all as f64) * words.len() as f64 / all as f64;
        return Ok(Heard { text: words.join(" "), sure });
    }
    // Noise has no words, and is not looked at again.
    if !grammar.open || text.is_empty() {
        return Ok(Heard::default());
    }
    let Heard { text, sure } = worker.recognise(None, sound).await?;
    let all = text.split_whitespace().count().max(1);
    Ok(Heard { text, sure: sure.powf(1.0 / all as f64) })
}
