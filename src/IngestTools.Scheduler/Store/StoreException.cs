namespace IngestTools.Scheduler.Store;

/// <summary>The daemon cannot begin, or cannot go on, with this store; the message says why and what to do.</summary>
internal sealed class StoreException(string message, Exception? cause = null) : Exception(message, cause);
