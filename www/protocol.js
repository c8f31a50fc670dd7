// @ts-check
/**
 * The words that the page and the worker exchange, as types only.
 *
 * Invariant: every request carries an `id` and gets exactly one final reply (`done` or `failed`),
 * after any number of `progress` messages; only `moved` answers none. Large buffers are transferred,
 * never shared.
 *
 * @import { ModuleName } from "./engine.js"
 *
 * @typedef {{ x: number, y: number, w: number, h: number }} Box pixels of the image, top-left
 * @typedef {object} Picture for display only
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray<ArrayBuffer>} rgba
 *
 * @typedef {object} Thumbnails image files, each with cells side by side, row by row
 * @property {number} columns of a sheet
 * @property {number} rows of a full sheet; the last may have fewer
 * @property {Blob[]} sheets
 *
 * @typedef {"mitotic" | "interphase"} Label
 * @typedef {{ index: number, distance: number }} Neighbour a reference cell, by embedding
 * @typedef {"faint" | "saturated" | "blurred" | "unlike"} Doubt how a cell is imaged worse than, or looks
 *   unlike, those the model was made from
 * @typedef {object} Prediction
 * @property {number} decisionValue
 * @property {number} probability
 * @property {Label} prediction
 * @property {Doubt | null} doubt which of the model's limits the cell is beyond
 * @property {[number, number] | null} point the cell's place on the model's map; null without one
 * @property {Neighbour[]} neighbours the nearest reference cells, nearest first
 *
 * @typedef {object} References cells of known label that the model holds; there may be none
 * @property {{ label: Label, kind: string }[]} cells
 * @property {[number, number][]} points x and y of each on the model's map
 * @property {Thumbnails} thumbnails one a cell, in the same order
 *
 * @typedef {"auto" | "webgpu" | "cpu"} BackendChoice
 * @typedef {object} Backend
 * @property {"webgpu" | "cpu"} kind
 * @property {string} adapter
 * @property {boolean} software whether the adapter is only emulated
 * @property {"asked" | "absent" | "emulated" | "failed" | null} reason for the CPU
 * @property {string} note the same in English, with particulars
 *
 * @typedef {object} Info
 * @property {string} version of mitoscope
 * @property {string} modelSha256
 * @property {string} preset
 * @property {Backend} backend
 * @property {any} manifest the model file's
 *
 * @typedef {object} LoadRequest
 * @property {number} id
 * @property {"load"} kind
 * @property {ModuleName} module for the CPU
 * @property {WebAssembly.Module} wasm the same
 * @property {Uint8Array} model
 * @property {BackendChoice} backend
 * @property {boolean} forceSoftware
 * @property {number} threads to compute with on the CPU, 1 or more
 * @property {string} [gpuFailure] what made a worker on the GPU crash, in whose place this one computes
 *
 * @typedef {"brightest" | "red" | "green" | "blue"} Channel of a coloured picture
 * @typedef {{ page: number, channel: Channel }} Reading which picture of a file; pages from 0 on
 * @typedef {{ pages: number, coloured: boolean }} Contents what a file offers to choose from
 *
 * @typedef {"auto" | "field" | "cell"} Kind what an image holds; `auto`: judged by its size
 * @typedef {object} ImageRequest one file; a field is classified, a single cell only recognised
 * @property {number} id
 * @property {"image"} kind
 * @property {Uint8Array} bytes
 * @property {Kind} as
 * @property {Reading} reading
 * @property {Box[]} [boxes] in place of those that segmentation finds
 * @property {boolean} [embed] also report the embeddings
 * @property {number} previewSide longest side of the preview in pixels
 * @typedef {{ holds: "field" | "cell" }} ImageOutcome
 *
 * @typedef {object} CropsRequest files of single cells that belong together
 * @property {number} id
 * @property {"crops"} kind
 * @property {Uint8Array[]} files
 * @property {boolean} [embed]
 *
 * @typedef {object} ReferencesRequest asks for the model's reference cells
 * @property {number} id
 * @property {"references"} kind
 *
 * @typedef {object} CancelRequest stops another request; has no reply of its own
 * @property {number} id that of the other request
 * @property {"cancel"} kind
 *
 * @typedef {LoadRequest | ImageRequest | CropsRequest | ReferencesRequest | CancelRequest} Request
 *
 * @typedef {{ code: string, message: string }} Failure
 * @typedef {object} Unreadable one of several crops cannot be read
 * @property {"unreadable"} stage
 * @property {number} index of the file
 * @property {Failure} failure
 *
 * @typedef {object} Opened what the file offers is known, nothing of it read yet
 * @property {"opened"} stage
 * @property {Contents} contents
 *
 * @typedef {object} Found cells are known, not yet classified
 * @property {"found"} stage
 * @property {{ width: number, height: number } | null} size of the field; null for crops
 * @property {Blob | null} preview image file of the field; null for crops
 * @property {Box[]} boxes
 * @property {number[]} indices for crops, the index of each cell's file
 *
 * @typedef {object} Pictured the cells have pictures, still before they are classified
 * @property {"pictured"} stage
 * @property {Thumbnails} thumbnails one a box, in the same order
 *
 * @typedef {object} Embedded how far the longest part of the work is
 * @property {"embedded"} stage
 * @property {number} count of the cells that are embedded
 *
 * @typedef {object} Glimpsed what cells are, compared with those of their field that are embedded so far
 * @property {"glimpsed"} stage
 * @property {number} from index of the first cell of this batch
 * @property {Prediction[]} predictions
 *
 * @typedef {object} Classified what they are, compared with all of their field
 * @property {"classified"} stage
 * @property {number} from index of the first cell of this batch
 * @property {Prediction[]} predictions
 * @property {Float32Array[] | null} embeddings when asked for
 *
 * @typedef {Unreadable | Opened | Found | Pictured | Embedded | Glimpsed | Classified} Progress
 *
 * @typedef {{ id: number, kind: "progress", progress: Progress }} ProgressReply
 * @typedef {{ id: number, kind: "done", value: any }} DoneReply
 * @typedef {{ id: number, kind: "failed" } & Failure} FailedReply
 * @typedef {ProgressReply | DoneReply | FailedReply} Answer
 * @typedef {{ kind: "moved", info: Info }} Moved the work goes on elsewhere: the GPU has failed
 * @typedef {Answer | Moved} Reply
 */
export {};
