using System.Globalization;
using System.Text.Json;
using IngestTools.Sandbox.Http;
using static Microsoft.AspNetCore.Http.StatusCodes;

namespace IngestTools.Sandbox.Services.Ica;

/// <summary>The routes of Illumina Connected Analytics that linking batches need, below /ica/rest/api.</summary>
internal sealed class IcaService : ISandboxService
{
    /// <summary>The longest id that the service documents.</summary>
    private const int MostIdCharacters = 255;

    /// <summary>What the filter of items documents; the items themselves may have others.</summary>
    private static readonly string[] ItemStatuses =
    [
        "INITIALISED",
        "WAITING_RESOURCES",
        "RUNNING",
        "LINKED",
        "ALREADY_LINKED",
        "FAILED",
        "PARTIALLY_LINKED",
    ];

    private readonly IcaAuthorization _authorization;
    private readonly IcaShapes _shapes;
    private readonly IcaControl _control;

    public IcaService(IcaState state)
    {
        State = state;
        _authorization = new IcaAuthorization(state);
        _shapes = new IcaShapes(state);
        _control = new IcaControl(state);
    }

    public IcaState State { get; }

    public string ControlName => "ica";

    public Task? TryAnswer(HttpContext context, RequestTarget target)
    {
        if (target.Segments is not ["ica", "rest", "api", ..])
            return null;
        // By the sandbox's clock, which a test may have set: a client may compare it with the times of jobs.
        context.Response.Headers.Date = State.Now.ToString("R", CultureInfo.InvariantCulture);
        return Route(context, target) ?? NotFoundAsync(context, "There is no such resource");
    }

    public Task? TryControl(HttpContext context, RequestTarget target, string[] route) => _control.TryAnswer(context, route);

    public void Hold(RequestTarget target, TimeSpan time)
    {
        // ICA has no lock that a client would meet.
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task? Route(HttpContext context, RequestTarget target) =>
        (context.Request.Method, target.Segments[3..]) switch
        {
            ("POST", ["tokens"]) => CheckMediaAsync(context, IcaMedia.ReadV3, () => _authorization.IssueAsync(context)),
            ("POST", ["tokens:refresh"]) => CheckMediaAsync(context, IcaMedia.ReadV3, () => _authorization.RefreshAsync(context)),
            ("GET", ["jobs"]) => AdmitAsync(context, IcaMedia.ReadV3, () => ListJobsAsync(context, target)),
            ("GET", ["jobs", var job]) => AdmitAsync(context, IcaMedia.ReadV3, () => SendJobAsync(context, job)),
            ("GET", ["projects"]) => AdmitAsync(context, IcaMedia.ReadV3, () => ListProjectsAsync(context, target)),
            ("GET", ["projects", var project, "data", "eligibleForLinking"]) => ForProjectAsync(
                context,
                project,
                IcaMedia.ReadV3,
                p => ListEligibleAsync(context, target, p)
            ),
            ("POST", ["projects", var project, "dataLinkingBatch"]) => ForProjectAsync(
                context,
                project,
                IcaMedia.Create,
                p => CreateAsync(context, p)
            ),
            ("GET", ["projects", var project, "dataLinkingBatch", var batch]) => ForBatchAsync(
                context,
                project,
                batch,
                IcaMedia.ReadV3,
                b => IcaAnswer.SendAsync(context, Status200OK, _shapes.Batch(b))
            ),
            ("GET", ["projects", var project, "dataLinkingBatch", var batch, "items"]) => ForBatchAsync(
                context,
                project,
                batch,
                IcaMedia.ReadItems,
                b => ListItemsAsync(context, target, b)
            ),
            ("GET", ["projects", var project, "dataLinkingBatch", var batch, "items", var item]) => ForBatchAsync(
                context,
                project,
                batch,
                IcaMedia.ReadItems,
                b => SendItemAsync(context, b, item)
            ),
            _ => null,
        };

    private async Task CheckMediaAsync(HttpContext context, IcaMedia media, Func<Task> act)
    {
        if (media.WhatIsWrong(context.Request) is { } wrong)
            await IcaAnswer.ProblemAsync(context, Status400BadRequest, IcaAnswer.InvalidMediaType, wrong, State.Now);
        else
            await act();
    }

    private Task AdmitAsync(HttpContext context, IcaMedia media, Func<Task> act) =>
        CheckMediaAsync(
            context,
            media,
            async () =>
            {
                if (await _authorization.AdmitAsync(context))
                    await act();
            }
        );

    private Task ForProjectAsync(HttpContext context, string id, IcaMedia media, Func<IcaProject, Task> act) =>
        AdmitAsync(
            context,
            media,
            () =>
                State.Options.HasNoProject(id) ? NotFoundAsync(context, $"Project {id} was not found")
                : State.Options.Forbids(id)
                    ? IcaAnswer.ProblemAsync(context, Status403Forbidden, "Forbidden", $"You have no access to project {id}", State.Now)
                : act(State.Project(id))
        );

    private Task ForBatchAsync(HttpContext context, string project, string id, IcaMedia media, Func<IcaBatch, Task> act) =>
        ForProjectAsync(
            context,
            project,
            media,
            p =>
                Guid.TryParse(id, out Guid batchId) && p.Batches.FirstOrDefault(b => b.Id == batchId) is { } batch
                    ? act(batch)
                    : NotFoundAsync(context, $"Batch {id} was not found")
        );

    private async Task CreateAsync(HttpContext context, IcaProject project)
    {
        CreateBody? body = null;
        try
        {
            body = await JsonSerializer.DeserializeAsync<CreateBody>(context.Request.Body, Answer.JsonOptions, context.RequestAborted);
        }
        catch (JsonException)
        {
            // Told below, as a body without items is.
        }
        if (WhatIsWrong(body) is { } wrong)
            await IcaAnswer.ProblemAsync(context, Status400BadRequest, "ICA_API_002", "Request validation failed", State.Now, wrong);
        else
            await IcaAnswer.SendAsync(
                context,
                Status201Created,
                _shapes.Batch(project.Add(Array.ConvertAll(body!.Items!, static i => i.DataId!)))
            );
    }

    private static Dictionary<string, string>? WhatIsWrong(CreateBody? body)
    {
        if (body?.Items is not { } items)
            return new() { ["items"] = "must not be null" };
        int bad = Array.FindIndex(items, static i => i.DataId is not { Length: > 0 and <= MostIdCharacters });
        return bad < 0 ? null : new() { [$"items[{bad}].dataId"] = "size must be between 1 and 255" };
    }

    private Task ListItemsAsync(HttpContext context, RequestTarget target, IcaBatch batch)
    {
        IcaPaging paging = new(target.Query, State.Options, $"items {batch.Id}");
        if (paging.Read() is { } wrong)
            return RefuseAsync(context, wrong);
        HashSet<string>? statuses = paging.Filter("status");
        if (statuses?.FirstOrDefault(static s => !ItemStatuses.Contains(s)) is { } unknown)
            return RefuseAsync(context, $"Invalid status '{unknown}'");
        bool isV3 = context.Request.Headers.Accept == IcaMedia.V3;
        int[] rows = Enumerable.Range(0, batch.DataIds.Count).Where(i => statuses is null || statuses.Contains(batch.Status(i))).ToArray();
        // An offset counts the rows that fit; a cursor is a place among all, so that it stays right while statuses change.
        int[] ahead = paging.IsByOffset ? rows[Math.Min(paging.First, rows.Length)..] : Array.FindAll(rows, i => i >= paging.First);
        int[] shown = ahead[..Math.Min(paging.Size, ahead.Length)];
        int? next = ahead.Length > shown.Length ? ahead[shown.Length] : null;
        object[] items = Array.ConvertAll(shown, i => _shapes.Item(batch, i, isV3));
        return IcaAnswer.SendAsync(context, Status200OK, paging.Page(items, next, ahead.Length - shown.Length, rows.Length));
    }

    private Task SendItemAsync(HttpContext context, IcaBatch batch, string id) =>
        Guid.TryParse(id, out Guid item) && batch.IndexOf(item) is { } index
            ? IcaAnswer.SendAsync(context, Status200OK, _shapes.Item(batch, index, context.Request.Headers.Accept == IcaMedia.V3))
            : NotFoundAsync(context, $"Item {id} was not found");

    /// <summary>There is no list of batches: this is the only place where a lost one can be found.</summary>
    private Task ListJobsAsync(HttpContext context, RequestTarget target)
    {
        IcaPaging paging = new(target.Query, State.Options, "jobs");
        if (paging.Read() is { } wrong)
            return RefuseAsync(context, wrong);
        HashSet<string>? statuses = paging.Filter("status");
        IEnumerable<IcaBatch> fit = State.Batches.Where(b => statuses is null || statuses.Contains(b.JobStatus));
        IcaBatch[] rows = (paging.Sort == "timeCreated desc" ? fit.Reverse() : fit).ToArray();
        IcaBatch[] ahead = rows[Math.Min(paging.First, rows.Length)..];
        IcaBatch[] shown = ahead[..Math.Min(paging.Size, ahead.Length)];
        int? next = ahead.Length > shown.Length ? paging.First + shown.Length : null;
        return IcaAnswer.SendAsync(
            context,
            Status200OK,
            paging.Page(Array.ConvertAll(shown, _shapes.Job), next, ahead.Length - shown.Length, rows.Length)
        );
    }

    private Task ListProjectsAsync(HttpContext context, RequestTarget target)
    {
        IcaPaging paging = new(target.Query, State.Options, "projects");
        if (paging.Read() is { } wrong)
            return RefuseAsync(context, wrong);
        IcaProject[] rows = State.Projects.Where(p => !State.Options.HasNoProject(p.Id) && !State.Options.Forbids(p.Id)).ToArray();
        IcaProject[] ahead = rows[Math.Min(paging.First, rows.Length)..];
        IcaProject[] shown = ahead[..Math.Min(paging.Size, ahead.Length)];
        int? next = ahead.Length > shown.Length ? paging.First + shown.Length : null;
        object[] items = Array.ConvertAll(shown, static p => (object)new { id = p.Id, name = p.Name });
        return IcaAnswer.SendAsync(context, Status200OK, paging.Page(items, next, ahead.Length - shown.Length, rows.Length));
    }

    private Task SendJobAsync(HttpContext context, string id) =>
        Guid.TryParse(id, out Guid jobId) && State.Batches.FirstOrDefault(b => b.JobId == jobId) is { } batch
            ? IcaAnswer.SendAsync(context, Status200OK, _shapes.Job(batch))
            : NotFoundAsync(context, $"Job {id} was not found");

    /// <summary>Only what is asked for by id: the sandbox has all data there can be.</summary>
    private Task ListEligibleAsync(HttpContext context, RequestTarget target, IcaProject project)
    {
        IcaPaging paging = new(target.Query, State.Options, "eligible");
        if (paging.Read() is { } wrong)
            return RefuseAsync(context, wrong);
        string[] rows = (paging.Filter("id") ?? []).Where(project.IsEligible).Order(StringComparer.Ordinal).ToArray();
        string[] ahead = rows[Math.Min(paging.First, rows.Length)..];
        string[] shown = ahead[..Math.Min(paging.Size, ahead.Length)];
        int? next = ahead.Length > shown.Length ? paging.First + shown.Length : null;
        return IcaAnswer.SendAsync(
            context,
            Status200OK,
            paging.Page(Array.ConvertAll(shown, IcaShapes.Data), next, ahead.Length - shown.Length, rows.Length)
        );
    }

    private Task RefuseAsync(HttpContext context, string detail) =>
        IcaAnswer.ProblemAsync(context, Status400BadRequest, "ICA_API_002", detail, State.Now);

    private Task NotFoundAsync(HttpContext context, string detail) =>
        IcaAnswer.ProblemAsync(context, Status404NotFound, "Not Found", detail, State.Now);

    private sealed record CreateBody(CreateItem[]? Items);

    private readonly record struct CreateItem(string? DataId);
}
