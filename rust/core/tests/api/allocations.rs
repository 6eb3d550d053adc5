//! Once warm, nothing is allocated: not in an epoch, not in a step, not in a call with the caller's own buffers.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::common::{Examples, mlp, with_biases};
use fastmlp_core::{
    Activation, Adam, Dropout, Element, Groups, HiddenActivation, Interrupt, Loss, Mlp, Network,
    Normalization, Objective, Options, RateSchedule, Result, Role, Rule, Schedule, Sgd, State, Trainer,
};
use ndarray::Array2;

thread_local! {
    /// Where the allocations of this thread are counted.
    static COUNT: Cell<Option<&'static AtomicUsize>> = const { Cell::new(None) };
}

/// The system's allocator, with a counter for each thread that has one.
struct Counting;

fn count() {
    if let Some(count) = COUNT.get() {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on to the system's allocator unchanged; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(start, layout, size) }
    }
    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(start, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Counts the allocations of every thread that works for a network: each of them reports its work.
struct Watch(&'static AtomicUsize);

impl Watch {
    fn new() -> Self {
        Self(Box::leak(Box::default()))
    }

    /// Allocations of `f` once it is warm: after one call, whose buffers stay.
    fn allocations<R>(&self, mut f: impl FnMut(&Self) -> R) -> usize {
        f(self);
        let before = self.0.load(Ordering::Relaxed);
        f(self);
        f(self);
        self.0.load(Ordering::Relaxed) - before
    }
}

impl Interrupt for Watch {
    fn spend(&self, _: usize, _: usize) -> Result<()> {
        COUNT.set(Some(self.0));
        Ok(())
    }
}

/// None, and all that there are, with dropout of hidden layers and inputs at this rate.
fn options() -> [(Options, f64); 2] {
    let schedule = RateSchedule::new("cosine", Some(0.1)).unwrap();
    let groups = Groups::default().with_factor(Role::Bias, 0.5).unwrap().with_decay_of(&[Role::Weight]);
    [(Options::default(), 0.0), (Options::new(Some(0.1), Some(schedule), groups).unwrap(), 0.2)]
}

fn dropout<T: Element>(mlp: &Mlp<T>, rate: f64) -> Dropout {
    Dropout::new(&[rate], mlp.network().activations().len()).unwrap().with_input(rate).unwrap()
}

fn rules() -> [Rule; 3] {
    [
        Rule::Sgd(Sgd::new(0.1, 0.0, false).unwrap()),
        Rule::Sgd(Sgd::new(0.1, 0.9, true).unwrap()),
        Rule::Adam(Adam::default()),
    ]
}

/// Small enough for kernels of its own, for gradients of chunks, and not; and with a normalisation over batches.
fn networks<T: Element>() -> [Mlp<T>; 5] {
    let smoothed = Network::new(&[3, 20, 4], &[Activation::Tanh]).unwrap();
    let smoothed = smoothed.with_loss(Loss::CrossEntropy { label_smoothing: 0.1 }).unwrap();
    let activations = [Activation::Relu.into(), HiddenActivation::Prelu];
    let normalized =
        Network::with_stages(&[3, 33, 70, 4], &activations, Some(Normalization::Batch), true).unwrap();
    [
        mlp(1, &[3, 20, 4], Activation::Relu),
        mlp(1, &[3, 33, 16, 4], Activation::Tanh),
        mlp(1, &[3, 190, 180, 4], Activation::Relu),
        with_biases(1, smoothed),
        with_biases(1, normalized),
    ]
}

fn examples<T: Element>(n: usize) -> Examples<T> {
    Examples::new(2, n, 3, 4)
}

fn check_epochs<T: Element>() {
    for rule in rules() {
        for n_threads in [1, 2] {
            for batch_size in [None, Some(1400)] {
                let schedule = Schedule { batch_size, shuffle: true, seed: 4, n_threads };
                for mlp in networks::<T>() {
                    check_epochs_of(mlp, &rule, schedule);
                }
            }
        }
    }
}

fn check_epochs_of<T: Element>(mut mlp: Mlp<T>, rule: &Rule, schedule: Schedule) {
    let (train, validation) = (examples::<T>(3000), examples::<T>(300));
    for (with_validation, (options, rate)) in
        options().into_iter().flat_map(|all| [(false, all), (true, all)])
    {
        let validation = with_validation.then(|| validation.weighted());
        let case = format!("{}, {rule:?}, {schedule:?}, {options:?}, {with_validation}", T::DTYPE);
        let mut state = State::new(rule, mlp.parameters().len()).unwrap();
        let trainer = Trainer::new(&mlp, train.weighted(), validation, schedule).unwrap();
        let mut trainer = trainer.with_options(options, 1).with_dropout(dropout(&mlp, rate));
        let epoch = |watch: &Watch| trainer.epoch(&mut mlp, rule, &mut state, watch).unwrap();
        assert_eq!(Watch::new().allocations(epoch), 0, "{case}");
    }
}

#[test]
fn an_epoch_in_single_precision() {
    check_epochs::<f32>();
}

#[test]
fn an_epoch_in_double_precision() {
    check_epochs::<f64>();
}

#[test]
fn an_epoch_of_rows_that_are_mostly_zeros() {
    let mut train = Examples::<f64>::new(2, 700, 40, 4);
    train.x.indexed_iter_mut().filter(|((i, j), _)| (i + j) % 8 > 0).for_each(|(_, x)| *x = 0.0);
    let rule = Rule::Adam(Adam::default());
    for hidden in [&[33][..], &[190, 180]] {
        let sizes = [&[40], hidden, &[4]].concat();
        for n_threads in [1, 2] {
            let mut mlp = mlp::<f64>(1, &sizes, Activation::Relu);
            let mut state = State::new(&rule, mlp.parameters().len()).unwrap();
            let schedule = Schedule { batch_size: Some(300), shuffle: true, seed: 4, n_threads };
            let trainer = Trainer::new(&mlp, train.weighted(), None, schedule).unwrap();
            let mut trainer = trainer.with_dropout(dropout(&mlp, 0.2));
            let epoch = |watch: &Watch| trainer.epoch(&mut mlp, &rule, &mut state, watch).unwrap();
            assert_eq!(Watch::new().allocations(epoch), 0, "{sizes:?}, {n_threads} threads");
        }
    }
}

fn check_step<T: Element>() {
    let examples = examples::<T>(300);
    for rule in rules() {
        for mut mlp in networks::<T>() {
            let mut state = State::new(&rule, mlp.parameters().len()).unwrap();
            let data = examples.weighted();
            for (options, rate) in options() {
                let dropout = dropout(&mlp, rate);
                let step = |watch: &Watch| {
                    let with = (&rule, &options, &mut state);
                    mlp.step(&data, Objective::default(), with, Some((&dropout, 5)), watch).unwrap()
                };
                assert_eq!(Watch::new().allocations(step), 0, "{} {rule:?} {options:?}", T::DTYPE);
            }
        }
    }
}

#[test]
fn a_step() {
    check_step::<f32>();
    check_step::<f64>();
}

/// Calls on rows in memory order and on rows that must be gathered.
fn check_calls<T: Element>(mlp: &Mlp<T>) {
    let examples = examples::<T>(300);
    let data = examples.weighted();
    let by_column = examples.x.t().as_standard_layout().into_owned();
    for x in [examples.x.view(), by_column.t()] {
        let mut out = Array2::from_elem((300, 4), T::ZERO);
        let mut classes = vec![0; 300];
        let mut gradient = vec![T::ZERO; mlp.parameters().len()];
        let mut d_x = vec![T::ZERO; x.len()];
        let d_logits = examples.x.select(ndarray::Axis(1), &[0, 1, 2, 0]);
        let watch = Watch::new();
        let of = |what: &str, f: &mut dyn FnMut(&Watch)| {
            assert_eq!(watch.allocations(f), 0, "{} {what}", T::DTYPE);
        };
        of("forward", &mut |watch| mlp.forward(x, out.view_mut(), 1, watch).unwrap());
        of("predict_proba", &mut |watch| mlp.predict_proba(x, out.view_mut(), 1, watch).unwrap());
        of("predict", &mut |watch| mlp.predict(x, &mut classes, 1, watch).unwrap());
        of("backward", &mut |watch| {
            mlp.backward(x, d_logits.view(), &mut gradient, &mut d_x, watch).unwrap();
        });
        of("loss", &mut |watch| assert!(mlp.loss(&data, 1, watch).unwrap() > 0.0));
        of("loss_and_grad", &mut |watch| {
            assert!(
                mlp.loss_and_grad(&data, Objective::default(), &mut gradient, None, 1, watch).unwrap() > 0.0
            );
        });
    }
}

#[test]
fn a_call_with_buffers() {
    networks::<f32>().iter().for_each(check_calls);
    networks::<f64>().iter().for_each(check_calls);
}

#[test]
fn an_allocation_would_be_counted() {
    let ([mlp, ..], examples) = (networks::<f64>(), examples(10));
    let allocations = Watch::new().allocations(|watch| {
        mlp.loss(&examples.plain(), 1, watch).unwrap();
        vec![1; 7]
    });
    assert_eq!(allocations, 2);
}

#[test]
fn an_allocation_of_a_worker_would_be_counted() {
    struct Wasteful {
        watch: Watch,
        wasted: AtomicBool,
    }
    impl Interrupt for Wasteful {
        fn spend(&self, thread: usize, flops: usize) -> Result<()> {
            self.watch.spend(thread, flops)?;
            if thread == 1 {
                drop(std::hint::black_box(vec![flops]));
                self.wasted.store(true, Ordering::Release);
            }
            // The owner leaves some of its work to the other thread, whenever that gets a core.
            let start = Instant::now();
            while !self.wasted.load(Ordering::Acquire) && start.elapsed().as_secs() < 30 {
                std::thread::yield_now();
            }
            Ok(())
        }
    }
    let wasteful = Wasteful { watch: Watch::new(), wasted: AtomicBool::new(false) };
    let (train, [rule, ..], [mut mlp, ..]) = (examples(3000), rules(), networks::<f64>());
    let mut state = State::new(&rule, mlp.parameters().len()).unwrap();
    let schedule = Schedule { batch_size: None, shuffle: false, seed: 4, n_threads: 2 };
    let mut trainer = Trainer::new(&mlp, train.weighted(), None, schedule).unwrap();
    trainer.epoch(&mut mlp, &rule, &mut state, &wasteful).unwrap();
    assert!(wasteful.watch.0.load(Ordering::Relaxed) > 0);
}
