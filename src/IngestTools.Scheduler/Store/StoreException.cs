namespace IngestTools.Scheduler.Store;

/// <summary>The daemon cannot begin, or cannot go on, with this store; the message says why and what to do.</summary>
internal class StoreException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>A scheduler with this store runs already.</summary>
internal sealed class StoreHeldException(string message) : StoreException(message);

/// <summary>Nodes of an earlier version work on this store.</summary>
internal sealed class OldNodesException(string message) : StoreException(message);
