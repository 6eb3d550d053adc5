//! A stopped training leaves the network after a complete step.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::common::{Examples, bits, mlp};
use fastmlp_core::{
    Activation, Adam, Ask, Ending, Error, Interrupt, Limits, Minimizer, Mlp, Never, Objective, Options,
    Result, Rule, Schedule, State, Trainer,
};
use ndarray::Array2;

const D_IN: usize = 3;
const D_OUT: usize = 2;
const N: usize = 600;
const BATCH_SIZE: usize = 256;

/// Allows work this many times on each thread, and then ends it.
struct Allowance<const N_THREADS: usize> {
    pieces: [AtomicUsize; N_THREADS],
}

impl<const N_THREADS: usize> Allowance<N_THREADS> {
    fn new(pieces: usize) -> Self {
        Self { pieces: std::array::from_fn(|_| AtomicUsize::new(pieces)) }
    }
}

impl<const N_THREADS: usize> Interrupt for Allowance<N_THREADS> {
    fn spend(&self, thread: usize, _: usize) -> Result<()> {
        let left = &self.pieces[thread];
        let one_less = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        one_less.map(|_| ()).map_err(|_| Error::Interrupted)
    }
}

/// Small enough for special kernels, and not.
fn networks() -> [Mlp<f64>; 2] {
    [mlp(1, &[D_IN, 20, D_OUT], Activation::Relu), mlp(1, &[D_IN, 16, 17, D_OUT], Activation::Tanh)]
}

fn examples() -> Examples<f64> {
    Examples::new(2, N, D_IN, D_OUT)
}

/// The same network, and an optimizer that has not been used.
fn copy(mlp: &Mlp<f64>, rule: &Rule) -> (Mlp<f64>, State<f64>) {
    let mut copy = Mlp::zeros(mlp.network().clone(), 0).unwrap();
    copy.parameters_mut().copy_from_slice(mlp.parameters());
    (copy, State::new(rule, mlp.parameters().len()).unwrap())
}

fn schedule(batch_size: Option<usize>, n_threads: usize) -> Schedule {
    Schedule { batch_size, shuffle: false, seed: 0, n_threads }
}

/// The parameters before the first step of an epoch, and after each.
fn parameters_by_step(start: &Mlp<f64>, rule: &Rule) -> Vec<Vec<u64>> {
    let ((mut mlp, mut state), examples) = (copy(start, rule), examples());
    let mut by_step = vec![bits(mlp.parameters())];
    let rows: Vec<_> = (0..N).collect();
    for batch in rows.chunks(BATCH_SIZE) {
        mlp.step(
            &examples.select(batch).weighted(),
            Objective::default(),
            (rule, &Options::default(), &mut state),
            None,
            &Never,
        )
        .unwrap();
        by_step.push(bits(mlp.parameters()));
    }
    by_step
}

/// Stops an epoch at every place where it can be stopped.
fn check_every_place<const N_THREADS: usize>(start: &Mlp<f64>) {
    let (rule, examples) = (Rule::Adam(Adam::default()), examples());
    let by_step = parameters_by_step(start, &rule);
    for pieces in 0.. {
        let (mut mlp, mut state) = copy(start, &rule);
        let schedule = schedule(Some(BATCH_SIZE), N_THREADS);
        let validation = Some(examples.weighted());
        let mut trainer = Trainer::new(&mlp, examples.weighted(), validation, schedule).unwrap();
        let result = trainer.epoch(&mut mlp, &rule, &mut state, &Allowance::<N_THREADS>::new(pieces));
        let steps = usize::try_from(state.steps()).unwrap();
        assert_eq!(bits(mlp.parameters()), by_step[steps], "{pieces} pieces of work, {steps} steps");
        match result {
            Ok(_) => {
                assert_eq!(steps, by_step.len() - 1);
                assert!(pieces > by_step.len(), "an epoch asks in every step");
                return;
            }
            Err(error) => assert_eq!(error.to_string(), "interrupted"),
        }
        trainer.epoch(&mut mlp, &rule, &mut state, &Never).unwrap();
        assert_eq!(state.steps(), (steps + by_step.len() - 1) as u64, "training can go on");
    }
}

#[test]
fn an_epoch_stops_between_steps() {
    networks().iter().for_each(check_every_place::<1>);
}

#[test]
fn an_epoch_of_two_threads_stops_between_steps() {
    networks().iter().for_each(check_every_place::<2>);
}

/// Stops iterations at every place where they can be stopped.
fn check_every_place_of_iterations<const N_THREADS: usize>(start: &Mlp<f64>) {
    let (rule, examples) = (Rule::Adam(Adam::default()), examples());
    let limits = Limits { max_iter: 4, max_fun: 100, tol: 0.0 };
    let minimizer = |mlp: &Mlp<f64>| {
        Minimizer::new(mlp, examples.weighted(), Objective::default(), limits, N_THREADS).unwrap()
    };
    let (mut mlp, _) = copy(start, &rule);
    let (mut by_iteration, mut uninterrupted) = (vec![bits(mlp.parameters())], minimizer(&mlp));
    while uninterrupted.iterate(&mut mlp, &Never).unwrap().is_some() {
        by_iteration.push(bits(mlp.parameters()));
    }
    assert_eq!(uninterrupted.ending(), Some(Ending::MaxIter));
    for pieces in 0.. {
        let (mut mlp, _) = copy(start, &rule);
        let (mut minimizer, allowance) = (minimizer(&mlp), Allowance::<N_THREADS>::new(pieces));
        let mut iterations = 0;
        let result = loop {
            match minimizer.iterate(&mut mlp, &allowance) {
                Ok(Some(_)) => iterations += 1,
                ended => break ended,
            }
        };
        assert_eq!(bits(mlp.parameters()), by_iteration[iterations], "{pieces} pieces, {iterations}");
        if result.is_ok() {
            assert!(pieces > by_iteration.len(), "an iteration asks");
            return;
        }
        while minimizer.iterate(&mut mlp, &Never).unwrap().is_some() {
            iterations += 1;
            assert_eq!(bits(mlp.parameters()), by_iteration[iterations], "it can go on");
        }
        assert_eq!(iterations + 1, by_iteration.len());
    }
}

#[test]
fn a_minimisation_stops_between_iterations() {
    networks().iter().for_each(check_every_place_of_iterations::<1>);
    networks().iter().for_each(check_every_place_of_iterations::<2>);
}

#[test]
fn every_call_can_be_stopped() {
    let ([_, mut mlp], examples) = (networks(), examples());
    let (x, data, stop) = (examples.x.view(), examples.weighted(), &Allowance::<1>::new(0));
    let mut out = Array2::zeros((N, D_OUT));
    let (mut gradient, mut d_x) = (vec![0.0; mlp.parameters().len()], vec![0.0; x.len()]);
    let (rule, before) = (Rule::Adam(Adam::default()), bits(mlp.parameters()));
    let mut state = State::new(&rule, before.len()).unwrap();
    let d_logits = out.clone();
    let results = [
        mlp.forward(x, out.view_mut(), 1, stop),
        mlp.predict_proba(x, out.view_mut(), 1, stop),
        mlp.predict(x, &mut [0; N], 1, stop),
        mlp.loss(&data, 1, stop).map(drop),
        mlp.loss_and_grad(&data, Objective::default(), &mut gradient, None, 1, stop).map(drop),
        mlp.backward(x, d_logits.view(), &mut gradient, &mut d_x, stop),
        mlp.step(&data, Objective::default(), (&rule, &Options::default(), &mut state), None, stop).map(drop),
    ];
    for (call, result) in results.into_iter().enumerate() {
        assert!(matches!(result, Err(Error::Interrupted)), "call {call}");
    }
    assert_eq!((bits(mlp.parameters()), state.steps()), (before, 0));
}

#[test]
fn a_caller_who_says_stop_is_asked_on_his_own_thread() {
    let (rule, examples, [start, _]) = (Rule::Adam(Adam::default()), examples(), networks());
    let (mut mlp, mut state) = copy(&start, &rule);
    let mut trainer = Trainer::new(&mlp, examples.weighted(), None, schedule(None, 2)).unwrap();
    let caller = thread::current().id();
    let asked = AtomicUsize::new(0);
    let ask = Ask::new(|| {
        assert_eq!(thread::current().id(), caller);
        asked.fetch_add(1, Ordering::Relaxed) == 2
    });
    let mut epochs = (0..1_000_000).map(|_| trainer.epoch(&mut mlp, &rule, &mut state, &ask));
    let stopped = epochs.find_map(Result::err).expect("the third answer is to stop");
    assert!(matches!(stopped, Error::Interrupted));
    assert_eq!(asked.load(Ordering::Relaxed), 3);

    let epochs = usize::try_from(state.steps()).unwrap();
    assert!(epochs > 0 && mlp.parameters().iter().all(|p| p.is_finite()));
    let (mut same, mut fresh) = copy(&start, &rule);
    same.fit(examples.weighted(), None, &rule, &mut fresh, epochs, schedule(None, 1)).unwrap();
    assert_eq!(bits(mlp.parameters()), bits(same.parameters()), "{epochs} whole steps");
}
