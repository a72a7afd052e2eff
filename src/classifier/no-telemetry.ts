/**
 * ONNX Runtime's official builds, from 1.29 on, tell Microsoft of every model that is loaded, and keep an identifier
 * in the home folder. What is said in here must be said before it is loaded: import this first.
 * (onnxruntime pull request 27379, 'Behavior and controls'.)
 */
process.env.ORT_DISABLE_TELEMETRY = '1';
